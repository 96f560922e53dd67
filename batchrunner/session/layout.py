"""Which layout has this folder?  Decided once, when its manifest first comes in.

A folder of more than SHARDED_PAST jobs spreads its films over 256 folders (a file manager, `ls` and some file
systems give up on a folder of a million), unless the user's pattern makes folders itself.  It is recorded, so
a manifest that grows moves no file, and a run without ``--name`` goes on with the names there are.
"""

from __future__ import annotations

from typing import Final

from ..errors import FolderUnusable, Usage
from ..files.naming import OWN, PLAIN, Layout, fields
from ..ledger import Store
from ..ledger.files import LAYOUT
from ..models.wording import nearest

SHARDED_PAST: Final = 10_000


def settle_layout(store: Store, pattern: str | None, jobs: int) -> None:
    """Record how the folder's files are called, before any of them is; *jobs* is the manifest's number.

    Raises Usage for a field that no job has, and FolderUnusable for another pattern than that of the files
    that are there already.
    """
    recorded = store.fact(LAYOUT)
    current = Layout.parse(recorded)
    wanted = current.pattern if pattern is None else pattern
    has_files = _has_files(store)
    if wanted != current.pattern and has_files:
        raise FolderUnusable(
            f"the files of this folder are called {current.pattern}, not {wanted}; nothing was sent",
            hint="leave --name out, or choose another folder with -o",
        )
    if has_files or (recorded is not None and wanted == current.pattern):
        return  # as it is recorded, or a folder from before layouts: flat
    _check_fields(store, wanted)
    sharded = "/" not in wanted and jobs > SHARDED_PAST
    store.set_fact(LAYOUT, Layout(pattern=wanted, sharded=sharded).fact())


def _has_files(store: Store) -> bool:
    named = store.connection.execute("SELECT 1 FROM artifacts WHERE file IS NOT NULL LIMIT 1").fetchone()
    return named is not None


def _check_fields(store: Store, pattern: str) -> None:
    """Raise Usage for a field that no job has a value for."""
    unknown = [name for name in fields(pattern) if name not in OWN]
    if pattern == PLAIN or not unknown:
        return
    from ..outputs.columns import survey  # most files are called as the jobs are

    columns = survey(store, (), "in_manifest")
    if any(column.key is None for column in columns):
        return  # too many names to tell a wrong one
    known = [*OWN, *sorted(str(name) for c in columns for name in (c.key, f"{c.source}.{c.key}"))]
    for name in unknown:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {{{near}}}?" if near else f"fields: {', '.join(known)}"
            raise Usage(f"--name {pattern}: no job has a field {name!r}; nothing was sent", hint=hint)
