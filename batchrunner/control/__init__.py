"""Changing a run while it works: one line of JSON each way over a private local socket."""

from .address import choose_address
from .calling import ask_run
from .serving import serve

__all__ = ["ask_run", "choose_address", "serve"]
