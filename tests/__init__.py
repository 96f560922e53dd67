"""The tests mirror the package's rooms; builders.py and doubles.py hold what several of them share."""
