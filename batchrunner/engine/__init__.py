"""Shards as tasks of a Dask cluster: many small ones, each run whole by one worker at a time.

Only `run --engine dask` loads this.  How it is kept safe: docs/decisions/0019-engine.md
"""

from .coordinating import run_together
from .wishes import Wishes

__all__ = ["Wishes", "run_together"]
