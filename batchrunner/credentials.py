"""Where the token comes from: the environment, then the official CLI's token file.

Source of the names and the file: the official CLI and node pack.  The token is never logged nor stored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .errors import AccountRefused

TOKEN_NAMES: Final = ("RUNCOMFY_API_TOKEN", "RUNCOMFY_TOKEN", "RUNCOMFY_API_KEY")

MAX_CHARACTERS: Final = 8192


def find_token(environ: Mapping[str, str] = os.environ) -> str:
    """Return the API token.  Raises AccountRefused when there is none or it can't be one."""
    name, token = next(
        ((name, value) for name in TOKEN_NAMES if (value := environ.get(name, "").strip())), ("", "")
    )
    if not token:
        path = token_file(environ)
        name, token = str(path), _from_file(path)
    if not token:
        raise AccountRefused(
            "there is no RunComfy token",
            hint="set RUNCOMFY_API_TOKEN to a key of your profile page, or rehearse with --simulate",
        )
    if len(token) > MAX_CHARACTERS or not all("!" <= character <= "~" for character in token):
        raise AccountRefused(
            f"what {name} holds is no token: it must be printable ASCII without blanks",
            hint="copy the key from your profile page once more",
        )
    return token


def token_file(environ: Mapping[str, str]) -> Path:
    """Return where the official CLI keeps its token."""
    if folder := environ.get("RUNCOMFY_CONFIG_DIR"):
        return Path(folder) / "token.json"
    config = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".config"
    return Path(config) / "runcomfy" / "token.json"


def _from_file(path: Path) -> str:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    token = document.get("access_token") if isinstance(document, dict) else None
    return token.strip() if isinstance(token, str) else ""
