"""What jobs does a manifest ask for, and what is wrong with it?

Pure but for reading files: no network, no database, no event loop.
"""

from .fingerprint import fingerprint
from .read import read_jobs

__all__ = ["fingerprint", "read_jobs"]
