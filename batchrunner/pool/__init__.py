"""The bounded pool in which jobs live: submission, watching, saving, and what feeds them."""

from .cancelling import Cancelled, cancel_request, take_back_all
from .context import Context
from .pool import run_pool

__all__ = ["Cancelled", "Context", "cancel_request", "run_pool", "take_back_all"]
