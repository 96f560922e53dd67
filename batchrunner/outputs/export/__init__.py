"""What the ledger knows, carried away: one format a file, each streamed and put in place whole.

Every format has the same jobs in the same order (the manifest's), so an export of a ledger that does not
change is the same twice.
"""

from .exporting import Format, export
from .subject import Exported, Options

__all__ = ["Exported", "Format", "Options", "export"]
