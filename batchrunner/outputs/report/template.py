"""The page's template, compiled once: its code is kept where Python keeps ours, in a ``__pycache__``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import wording

if TYPE_CHECKING:
    from jinja2.bccache import Bucket

PAGE: Final = Path(__file__).with_name("page")

TIDY: Final = True
"""Whether a line that is only a tag leaves no line behind."""


@cache
def asset(name: str) -> str:
    return (PAGE / name).read_text("utf-8")


@cache
def load_template() -> Any:
    """Return the page's template; to compile it takes longer than to fill it."""
    from jinja2 import BytecodeCache, Environment, FunctionLoader, StrictUndefined, __version__

    class Beside(BytecodeCache):
        """Keeps a template's code as Python does a module's, and does without where it cannot."""

        def load_bytecode(self, bucket: Bucket) -> None:
            try:
                with self._file(bucket).open("rb") as file:
                    bucket.load_bytecode(file)
            except Exception:  # not there, or damaged in any of the ways a pickle can be
                bucket.reset()

        def dump_bytecode(self, bucket: Bucket) -> None:
            if sys.dont_write_bytecode:
                return
            file = self._file(bucket)
            part = file.with_suffix(f".{os.getpid()}")
            with suppress(OSError):
                file.parent.mkdir(exist_ok=True)
                part.write_bytes(bucket.bytecode_to_string())
                part.chmod(0o644)
                part.replace(file)

        def _file(self, bucket: Bucket) -> Path:
            """Return where it is kept: what it was made by and how is part of the name."""
            made = sha256(repr((__version__, TIDY, bucket.key)).encode()).hexdigest()[:16]
            return PAGE / "__pycache__" / f"{made}.{sys.implementation.cache_tag}.jinja"

    environment = Environment(
        loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined, trim_blocks=TIDY,
        lstrip_blocks=TIDY, bytecode_cache=Beside(),
    )  # fmt: skip
    environment.filters.update(
        count=wording.count, money=wording.money, span=wording.span, size=wording.size, shown=wording.shown,
        instant=wording.instant, plural=wording.plural,
    )  # fmt: skip
    return environment.get_template("report.html.j2")
