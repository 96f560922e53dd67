"""What one sees while a run works: a live view on a terminal, plain lines elsewhere, events for programs.

Tally counts (tally.py), words say it (words.py), and three ways show it: live.py, plain.py, stream.py.
"""

from .display import display

__all__ = ["display"]
