"""Programs for the other process that do not come to their end."""

CUT = (
    "import sys; sys.path[:] = {path}; from itertools import islice; from batchrunner.manifest import told;"
    " whole = told.told_of; told.told_of = lambda *asked: islice(whole(*asked), 2); told.serve()"
)
"""Tells the first two things it finds."""

UNFINISHED = {"none": "import nowhere", "other": "print('hello')", "cut": CUT}
