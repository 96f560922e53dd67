"""The bounded pool in which jobs live: submission, watching, saving, and what feeds them."""

from .context import Context
from .pool import run_pool

__all__ = ["Context", "run_pool"]
