"""The manual's pages as its tests see them: fenced blocks, inline code, and the commands in both."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
READ_BY_PEOPLE = [*PAGES, ROOT / "README.md", ROOT / "manifests/README.md"]

PLAYED = [DOCS / "tutorial.md", DOCS / "howto/doubts.md", DOCS / "howto/ci.md"]
"""Pages whose console blocks are played, and whose output is compared; no other page shows any."""

MANIFEST_ENDINGS = (".yaml", ".csv", ".jsonl")
SHELLS = {"console", "sh", "bash"}

FENCE = re.compile(r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\s*$")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `start` and `end` are the indices of its fences among the page's lines."""

    language: str
    title: str | None
    lines: tuple[str, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One command of a console block, and what the page shows as its output."""

    command: str
    said: tuple[str, ...]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the page's fenced blocks in order."""
    lines = page.read_text("utf-8").splitlines()
    opening: tuple[int, re.Match[str]] | None = None
    for number, line in enumerate(lines):
        if opening is None and (fence := FENCE.match(line)):
            opening = number, fence
        elif opening is not None and line.rstrip() == "```":
            start, fence = opening
            yield Block(
                language=fence["language"], title=fence["title"], lines=tuple(lines[start + 1 : number]),
                start=start, end=number,
            )  # fmt: skip
            opening = None


def typed(block: Block) -> list[Typed]:
    """Return the commands of a console block: a line that begins with ``$ `` and the output below it."""
    found: list[Typed] = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append(Typed(command=line.removeprefix("$ "), said=()))
        elif found:
            last = found.pop()
            found.append(Typed(command=last.command, said=(*last.said, line)))
    return found


def shell_lines(page: Path) -> Iterator[str]:
    """Yield what the page lets a person type or a script run."""
    for block in blocks(page):
        if block.language == "console":
            yield from (one.command for one in typed(block))
        elif block.language in SHELLS or block.language in {"ini", "text"} or _is_workflow(block):
            yield from "\n".join(block.lines).replace("\\\n", " ").splitlines()


def _is_workflow(block: Block) -> bool:
    return block.language == "yaml" and block.title is None and "run:" in block.text


def inline_code(page: Path) -> Iterator[str]:
    """Yield the inline code of the page."""
    inside = False
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            yield from INLINE.findall(line)


def calls(line: str) -> Iterator[list[str]]:
    """Yield the words of every call of ``batchrunner`` in a line for the shell, its name left out."""
    for start in re.finditer(r"(?<![\w/.-])(?:[\w.$%/~]*/)?batchrunner (?=[a-z-])", line):
        words = shlex.shlex(line[start.end() :], posix=True, punctuation_chars=True)
        words.whitespace_split = True
        call: list[str] = []
        for word in words:
            if set(word) <= set("();<>|&"):
                break
            call.append(word)
        yield call
