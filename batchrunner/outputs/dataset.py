"""``metadata.jsonl`` and the data-set card: the folder opens as a Hugging Face data set as it is.

The card names the files of the one split outright: left to itself the library guesses splits from file
names, and a job called ``test-1`` would make all the others vanish.  It names the columns too: the library
would take them from the first rows, and a model that comes later has others.  And where file names would make
it take films for something else (it counts every ``.word`` in them, and ``cat.png.mp4`` looks like a picture
to it), an empty file with a plain name speaks for them.
Source: https://huggingface.co/docs/datasets/video_load and .../repository_structure; which loader reads a
folder is infer_module_for_data_files_list in the library's load.py (the same from 2.14 to 5.2).
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct

from .._types import Json
from ..files.disk import replaced_file
from ..ledger import Store
from ..ledger.stored import has_stored
from .columns import Column, Kind, Looked, cells, look_at, look_at_piece
from .lines import IN_ORDER, IN_PIECE, Piece, json_line, pieces, text_of
from .results import Interrupted

OWN_COLUMNS: Final = ("file_name", "id", "model")

CARD_MARK: Final = "<!-- written by batchrunner; take this line out and batchrunner leaves the file alone -->"

LOADED: Final = {
    "video": (".mp4", ".mov", ".mkv", ".avi", ".mpeg"),
    "image": (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"),
    "audio": (".wav", ".mp3", ".flac", ".ogg", ".m4a"),
}
"""Extensions by which the library knows what a folder holds; the first kind a folder has is its own."""

FOLDERS: Final = {"video": "videos", "image": "images", "audio": "audio"}

ANCHOR: Final = ".data-set"
"""The stem of the empty file that says what the folder holds where the films' names would not."""

STORE: Final = "store"
"""The column that says where a file is in an object store, in folders with any that is there."""

_JOINED: Final = """jobs CROSS JOIN artifacts a ON jobs.seq = a.job AND jobs.generation = a.generation
    LEFT JOIN stored s ON (s.job, s.generation, s.n) = (a.job, a.generation, a.n)"""

_SAVED: Final = "a.saved_at IS NOT NULL AND ({where})"

_STORED_ONLY: Final = "s.url IS NOT NULL AND ({where})"

_ENDING: Final = """iif(length(a.file) - length(replace(a.file, '.', '')) = 1,
    'x' || substr(a.file, instr(a.file, '.')), a.file)"""
"""Of a name with one dot only what follows it: a million names are a few."""

_DTYPES: Final = {
    Kind.TEXT: "string",
    Kind.INTEGER: "int64",
    Kind.NUMBER: "float64",
    Kind.FLAG: "bool",
    Kind.JSON: "string",
}


class Contents(Struct, frozen=True):
    """What a folder's data set holds: files by kind, the kind it counts as first, and what its jobs have."""

    counts: dict[str, int]
    columns: list[Column]
    are_alike: bool
    """Whether all jobs have all inputs."""
    models: list[str]
    ending: str | None
    """How all names end, where they end alike."""
    where: str
    """The SQL condition that its jobs satisfy."""
    has_strangers: bool
    """Files that are no films stand among the films."""
    has_stored: bool
    """Files are in an object store, too, or there only."""


def look_into(store: Store, where: str = "1", *, has_strangers: bool = False) -> Contents:
    """Return what the data set of the jobs that satisfy *where* holds; all that have a file are looked at."""
    looked = look_at(store, _JOINED, _SAVED.format(where=where), _COUNTED)
    if has_stored(store) and not counts_of(looked):
        looked = look_at(store, _JOINED, _STORED_ONLY.format(where=where), _COUNTED)
        return contents_of(store, looked, {}, where, has_strangers=has_strangers)
    return contents_of(store, looked, counts_of(looked), where, has_strangers=has_strangers)


def look_into_piece(store: Store, piece: Piece) -> Looked:
    """Look at the jobs of a piece that have a file here."""
    return look_at_piece(store, _JOINED, _SAVED.format(where="1"), _COUNTED, piece)


def contents_of(
    store: Store, looked: Looked, counts: dict[str, int], where: str = "1", *, has_strangers: bool = False
) -> Contents:
    """Return what a data set holds, after all its jobs were *looked* at."""
    stored = has_stored(store)
    endings = {ending for counted in looked.counted for ending in counted[-2:] if ending is not None}
    reserved = (*OWN_COLUMNS, *islice(counts, 1))  # the library calls the file's column by its kind
    return Contents(
        counts=counts,
        columns=looked.columns((*reserved, *([STORE] if stored else []))),
        are_alike=looked.inputs.are_alike,
        models=sorted(looked.models) or _all_models(store),
        ending=endings.pop() if len(endings) == 1 else None,
        where=where,
        has_strangers=has_strangers,
        has_stored=stored,
    )


_COUNTED: Final = (
    *(f"count(*) FILTER (WHERE kind = '{kind}')" for kind in LOADED), f"min({_ENDING})", f"max({_ENDING})"
)  # fmt: skip
"""Files by kind, and how the names end."""


def counts_of(looked: Looked) -> dict[str, int]:
    """Return how many files of each kind there are, of those that there are."""
    totals = [sum(numbers) for numbers in zip(*[counted[1:-2] for counted in looked.counted], strict=True)]
    return {kind: n for kind, n in zip(LOADED, totals, strict=False) if n}


def _all_models(store: Store) -> list[str]:
    return [row[0] for row in store.connection.execute("SELECT DISTINCT model FROM jobs ORDER BY 1")]


def write_data_set(
    store: Store,
    folder: Path,
    go_on: Callable[[], bool] = lambda: True,
    *,
    where: str = "1",
    has_strangers: bool = False,
) -> None:
    """Write ``metadata.jsonl`` and the card.  Raises Interrupted as soon as *go_on* says no."""
    contents = look_into(store, where, has_strangers=has_strangers)
    with replaced_file(folder / "metadata.jsonl") as file:
        for text in read_text(store, contents):
            if not go_on():
                raise Interrupted
            file.write(text)
    write_card(store, folder, contents)


def read_text(store: Store, contents: Contents) -> Iterator[str]:
    """Yield what `read_metadata` does as text of some lines at a time."""
    for piece in pieces(store):
        yield from rows_of(store, contents, piece)


def rows_of(store: Store, contents: Contents, piece: Piece) -> Iterator[str]:
    """Yield the text of one piece."""
    line = _line_in_sql(contents)
    text = None if line is None else text_of(store, line, _files(contents), piece)
    if text is None:
        yield from (json_line(row) + "\n" for row in _rows(store, contents, piece))
    else:
        yield text


def read_metadata(store: Store, contents: Contents) -> Iterator[dict[str, Json]]:
    """Yield one row a saved file: its name, the job, and each input under its own name; all rows alike.

    In a folder whose files are all in the store and nowhere else, one row a stored file, without a name.
    """
    for piece in pieces(store):
        yield from _rows(store, contents, piece)


def _files(contents: Contents) -> str:
    """Return the SQL from FROM on for the files of a piece."""
    which = _SAVED if contents.counts or not contents.has_stored else _STORED_ONLY
    return (
        f"FROM {_JOINED} WHERE {IN_PIECE} AND {which.format(where=contents.where)} ORDER BY {IN_ORDER}, a.n"
    )


def _rows(store: Store, contents: Contents, piece: Piece) -> Iterator[dict[str, Json]]:
    of = f"SELECT jobs.id, model, inputs, meta, a.file AS file, s.url AS stored {_files(contents)}"
    for row in store.connection.execute(of, piece):
        yield {
            **({"file_name": row["file"]} if contents.counts else {}),
            **({STORE: row["stored"]} if contents.has_stored else {}),
            "id": row["id"],
            "model": row["model"],
            **cells(contents.columns, json.loads(row["inputs"]), json.loads(row["meta"])),
        }


_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_ .-]+")
"""Names that SQLite finds in JSON as they are written."""


def _line_in_sql(contents: Contents) -> str | None:
    """Return the SQL expression for a row as JSON; None where Python has to put it together."""
    columns = contents.columns
    if sqlite3.sqlite_version_info < (3, 38) or any(
        column.kind is Kind.JSON or not _PLAIN_NAME.fullmatch(column.key or "") for column in columns
    ):
        return None
    own = {"file_name": "a.file"} if contents.counts else {}
    own |= {STORE: "s.url"} if contents.has_stored else {}
    own |= {"id": "jobs.id", "model": "model"}
    names, values = list(own), [f"json_quote({value})" for value in own.values()]
    is_copied = contents.are_alike and all(column.name == column.key for column in columns)
    if not is_copied:
        names += [column.name for column in columns]
        values += [f"""ifnull({column.source} -> '$."{column.key}"', 'null')""" for column in columns]
    written = ", ".join(f"{json_line(name)}: %s" for name in names)
    if not is_copied:
        return f"printf('{{{written}}}', {', '.join(values)})"
    inputs = "iif(inputs = '{}', '}', ', ' || substr(inputs, 2))"
    return f"printf('{{{written}%s', {', '.join(values)}, {inputs})"


def write_card(store: Store, folder: Path, contents: Contents) -> None:
    """Write the card, unless the folder has a README.md that is not ours."""
    card = folder / "README.md"
    if card.exists() and CARD_MARK not in card.read_text("utf-8", "replace"):
        return
    paths: list[Json] = ["metadata.jsonl"]
    config: dict[str, Json] = {"config_name": "default", "data_files": [{"split": "train", "path": paths}]}
    if contents.counts:
        paths.append(_anchored(folder, store, contents))
        config["features"] = _features(contents)
    with replaced_file(card) as file:
        more = RESULTS_TOO if (folder / "results.jsonl").exists() else ""
        simulated = store.fact("simulated") == "1"
        file.write(_card(config, contents.counts, contents.models, more, simulated=simulated))


def _features(contents: Contents) -> list[Json]:
    """Return every column's type in the card's own words."""
    kind = next(iter(contents.counts))
    features: list[Json] = [{"name": kind, "dtype": kind}]
    own = (STORE, "id", "model") if contents.has_stored else ("id", "model")
    features += [{"name": name, "dtype": "string"} for name in own]
    features += [
        {"name": column.name, "list" if column.is_list else "dtype": _DTYPES[column.kind]}
        for column in contents.columns
    ]
    return features


def _anchored(folder: Path, store: Store, contents: Contents) -> str:
    """Return the path by which the library sees what the folder holds; make the file if need be."""
    kind = next(iter(contents.counts))
    anchor = folder / f"{ANCHOR}{LOADED[kind][0]}"
    if not contents.has_strangers and _is_plain(store, kind, contents):
        anchor.unlink(missing_ok=True)
        return f"{FOLDERS[kind]}/**"
    anchor.touch(mode=0o600)
    return anchor.name


def _is_plain(store: Store, kind: str, contents: Contents) -> bool:
    """Return whether the library, which counts all suffixes of all names, would find this very kind."""
    if contents.ending is not None and len(contents.counts) == 1:
        endings: Iterable[tuple[str, int]] = [(contents.ending, 1)]
    else:
        of = f"FROM {_JOINED} WHERE {_SAVED.format(where=contents.where)} AND a.kind = ? GROUP BY 1"
        endings = store.connection.execute(f"SELECT {_ENDING}, count(*) {of}", (kind,))
    words: Counter[str] = Counter()
    for file, times in endings:
        for word in PurePosixPath(file).suffixes:
            words[word.lower()] += times
    (first, most), *rest = words.most_common(2)
    return first in LOADED[kind] and all(count < most for _, count in rest)


RESULTS_TOO: Final = "  How every job went is in `results.jsonl`."


def _card(
    config: dict[str, Json], counts: dict[str, int], models: list[str], more: str, *, simulated: bool
) -> str:
    found = (
        ", ".join(f"{n:,} {kind} file{'s' if n != 1 else ''}" for kind, n in counts.items()) or "no files yet"
    )
    origin = "Made by the simulator, in a rehearsal of" if simulated else "Generated by"
    made_by = "\n".join(f"- `{model}`" for model in models)
    import yaml  # needed for these three lines, at a run's end

    front = yaml.safe_dump({"configs": [config]}, sort_keys=False, allow_unicode=True, width=1000)
    return f"""---
{front}---
{CARD_MARK}

# Generated media

{found}, each with its prompt and inputs in `metadata.jsonl`.{more}

```python
from datasets import load_dataset

data = load_dataset("path/to/this/folder", split="train")
```

Decoding films needs `pip install torchcodec`; without it,
`data.cast_column("video", datasets.Video(decode=False))` gives their paths.

{origin}

{made_by}
"""
