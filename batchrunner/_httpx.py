"""httpx without its own command line, whose colours take a fifth of a second to import.

httpx does without it in just this way where its extra ``cli`` is not installed.
"""

import sys

if "httpx" in sys.modules:
    import httpx as httpx
else:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # "this module cannot be imported"
    try:
        import httpx as httpx
    finally:
        del sys.modules["httpx._main"]
