"""Which file name does this job's output get, and how is foreign text shown?

Ids and server text are hostile until they went through here.  A name made here is portable: none of
``<>:"/\\|?*``, nothing invisible, no Windows device, no leading ``-`` or dot, no trailing dot or blank,
Unicode NFC.
Pure: whether a name is taken already is the ledger's to say, by its `collision_key`.
Windows' rules: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from typing import Final

MAX_NAME_BYTES: Final = 255
"""The longest name ext4, XFS, APFS and NTFS take (NTFS counts UTF-16 units: never more than UTF-8 bytes)."""

MAX_STEM_BYTES: Final = 200
"""Leaves room for ``-xxxxxxxx``, ``.NNN``, an extension, and what a part file adds."""

FORBIDDEN: Final = frozenset('<>:"/\\|?*')

_DEVICES: Final = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$"}) | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"
}

# Code points that draw nothing and that some file systems leave out when they compare names (Unicode's
# Default_Ignorable_Code_Point, as far as it is not category Cf anyway).
_IGNORABLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_EXTENSION: Final = re.compile(r"\.[a-z0-9]{1,8}")

_JOINERS: Final = frozenset("\u200c\u200d")
"""Harmless on a terminal, and needed to write Persian, Hindi and family emoji."""


def safe_stem(job_id: str) -> str:
    """Return the file name without extension for *job_id*: the id itself where it is portable already.

    An id that had to be changed ends in ``-`` and eight hex digits of its SHA-256, so that two ids
    cleaned to the same text stay apart.  At most MAX_STEM_BYTES and nine bytes long.
    """
    return job_id if _is_portable(job_id) else f"{_cleaned(job_id)}{mark(job_id)}"


def file_name(job_id: str, n: int, extension: str, *, distinct: bool = False) -> str:
    """Return the name of the job's *n*-th output (from 1): ``ID.mp4``, ``ID.2.mp4``, ...

    *distinct* marks the stem with the id's hash in any case: for a job whose plain name is taken.
    Raises ValueError if *n* is below 1 or *extension* is not a dot and up to eight of a-z and 0-9.
    """
    if n < 1:
        raise ValueError(f"outputs count from 1, not {n}")
    if not _EXTENSION.fullmatch(extension):
        raise ValueError(f"{extension!r} is no file extension such as '.mp4'")
    stem = safe_stem(job_id)
    if distinct and not stem.endswith(mark(job_id)):
        stem += mark(job_id)
    number = "" if n == 1 else f".{n}"
    return f"{stem}{number}{extension}"


def mark(job_id: str) -> str:
    """Return what makes a name the job's own: ``-`` and eight hex digits of its id's SHA-256."""
    # A lone surrogate can come out of JSON; it has no UTF-8, but it must have a hash.
    return f"-{sha256(job_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def collision_key(name: str) -> str:
    """Return a key that is equal for names which some common file system takes for one.

    Folds case (NTFS, APFS, ext4 with casefold), canonical and compatibility forms (APFS, ZFS with formKC) and
    leaves invisible code points out (HFS+, ext4).  Wider than any one of them: too wide costs a hash in
    a name, too narrow costs a film.
    """
    visible = "".join(char for char in name if not _is_invisible(char))
    # By way of upper case, because NTFS and FAT compare upper-cased names ("ı" and "i" are both "I");
    # decomposed before and after, as Unicode's caseless matching asks (D145, D146).
    folded = unicodedata.normalize("NFKD", visible).upper().casefold()
    return unicodedata.normalize("NFKD", folded)


def printable(text: str, limit: int | None = None) -> str:
    """Return *text* on one line, safe for a terminal and at most *limit* characters long.

    Line breaks and tabs become blanks; control, escape, direction-changing and unassigned code points are
    spelled out (``\\x1b``, ``\\u202e``); what is left out at the end is shown as ``…``.
    """
    whole = limit is None or len(text) <= limit
    shown = "".join(_shown(char) for char in (text if whole else text[:limit]))
    if limit is None or (whole and len(shown) <= limit):
        return shown
    return shown[: max(limit - 1, 0)] + "…" * (limit > 0)


def _is_portable(text: str) -> bool:
    return (
        bool(text)
        and all(_is_allowed(char) for char in text)
        and text[0] not in "-. "
        and text[-1] not in ". "
        and not _is_device(text)
        and unicodedata.is_normalized("NFC", text)
        and len(text.encode()) <= MAX_STEM_BYTES
    )


def _cleaned(text: str) -> str:
    """Make *text* portable but for its uniqueness; never empty."""
    # A hostile id may be megabytes long; no more characters than bytes can stay.
    composed = unicodedata.normalize("NFC", text[: MAX_STEM_BYTES * 2])
    clean = "".join(char if _is_allowed(char) else "_" for char in composed)
    clean = unicodedata.normalize("NFC", clean).strip(" ")
    if clean.startswith(("-", ".")):
        clean = f"_{clean[1:]}"
    if _is_device(clean):
        clean = f"_{clean}"
    clean = clean.encode()[:MAX_STEM_BYTES].decode(errors="ignore")
    return clean.rstrip(". ") or "job"


def _is_allowed(char: str) -> bool:
    return char not in FORBIDDEN and (char == " " or not (_is_invisible(char) or char.isspace()))


def _is_invisible(char: str) -> bool:
    """Whether *char* draws nothing or has no meaning: control, format, surrogate, private, unassigned.

    APFS refuses names with unassigned code points outright.
    """
    return unicodedata.category(char)[0] == "C" or _IGNORABLE.match(char) is not None


def _is_device(text: str) -> bool:
    """Whether Windows takes the name for a device; it looks only at what stands before the first dot."""
    return text.partition(".")[0].rstrip(" ").casefold() in _DEVICES


def _shown(char: str) -> str:
    if char.isspace():
        return " "
    if char in _JOINERS or unicodedata.category(char)[0] != "C":
        return char
    return char.encode("unicode_escape").decode()
