"""What jobs does a manifest ask for, and what is wrong with it?

Pure but for reading files: no network, no database, no event loop.
"""

from .fingerprint import fingerprint
from .named import NamedManifest
from .read import read_jobs

__all__ = ["NamedManifest", "fingerprint", "read_jobs"]
