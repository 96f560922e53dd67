"""Changing a run while it works: one line of JSON each way over a private local socket."""
