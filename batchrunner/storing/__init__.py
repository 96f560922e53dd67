"""Films in an object store: put there once they are checked, proved to be there, found again.

Reasons, and what is proved: docs/decisions/0020-stores.md
"""
