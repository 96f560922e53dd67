"""How the ledger looks on disk, and how an older one becomes today's.

One row a job, one a paid attempt, one an artifact, one a superseded generation.  Every state word comes
from lifecycle.State.  `PRAGMA user_version` holds the schema's version.  What is counted or summed over
all jobs has an index that answers it alone: the tables of a million jobs are a gigabyte.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..errors import FolderUnusable
from ..lifecycle import State
from .spending import SPENDING, SPENDING_ANEW
from .written import TALLIES, WRITTEN

VERSION: Final = 7

_A_STATE: Final = " OR ".join(f"state = '{state}'" for state in State)
"""For IN with so many words SQLite would make a table of them each time a row changes."""

IMAGES: Final = """
CREATE TABLE images (           -- local files that inputs name
    reference TEXT PRIMARY KEY, -- what the inputs hold: stage:sha256:...
    path      TEXT NOT NULL,    -- absolute
    written   TEXT NOT NULL,    -- as the manifest says it
    bytes     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

STORED: Final = """
CREATE TABLE stored (           -- artifacts that an object store has
    job        INTEGER NOT NULL REFERENCES jobs (seq),
    generation INTEGER NOT NULL,
    n          INTEGER NOT NULL,
    url        TEXT NOT NULL,
    stored_at  REAL NOT NULL,   -- committed before the local copy goes
    PRIMARY KEY (job, generation, n)
) STRICT, WITHOUT ROWID;
"""

SCHEMA: Final = f"""
CREATE TABLE facts (            -- what holds for the whole folder: origin, simulated, manifest, ...
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    seq           INTEGER PRIMARY KEY,
    id            TEXT NOT NULL,
    position      INTEGER NOT NULL,              -- its place in the manifest, from 1
    file          TEXT NOT NULL,                 -- the manifest file its row stands in
    row           INTEGER NOT NULL,              -- the line its row starts on
    in_manifest   INTEGER NOT NULL DEFAULT 1,    -- 0: gone from the manifest, never submitted again
    model         TEXT NOT NULL,
    inputs        TEXT NOT NULL,                 -- canonical JSON, exactly what is sent
    meta          TEXT NOT NULL,
    fingerprint   TEXT NOT NULL,
    next          TEXT,                          -- an edit that waits until this generation is collected
    generation    INTEGER NOT NULL DEFAULT 1,    -- counts up with each edit or redo
    attempts      INTEGER NOT NULL DEFAULT 0,    -- accepted or in-doubt tries of this generation
    attempts_from INTEGER NOT NULL DEFAULT 0,    -- of these: before the user's last --retry
    state         TEXT NOT NULL CHECK ({_A_STATE}),
    not_before    REAL,                          -- a pending job waits until this instant
    request_id    TEXT,                          -- of the latest attempt
    error_code    TEXT,
    error_message TEXT,
    service_code  INTEGER,
    submitted_at  REAL,
    completed_at  REAL,
    saved_at      REAL,
    cost_usd      REAL
) STRICT;
CREATE UNIQUE INDEX jobs_by_id ON jobs (id);
CREATE INDEX jobs_by_state ON jobs (state, position);
CREATE INDEX jobs_in_order ON jobs (in_manifest DESC, position);
CREATE INDEX jobs_gone ON jobs (state, in_manifest) WHERE NOT in_manifest;
CREATE INDEX jobs_by_error ON jobs (error_code, in_manifest) WHERE error_code IS NOT NULL;

CREATE TABLE attempts (
    job           INTEGER NOT NULL REFERENCES jobs (seq),
    generation    INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    intent_at     REAL NOT NULL,                 -- committed before the POST
    request_id    TEXT UNIQUE,                   -- committed before the first poll
    submitted_at  REAL,
    completed_at  REAL,
    outcome       TEXT,                          -- NULL while it runs
    error_code    TEXT,
    error_message TEXT,
    cost_usd      REAL,
    ran_at_least_s REAL,                         -- between what and what the run time lay, as looks showed it
    ran_at_most_s REAL,
    reserved_micros INTEGER,                     -- taken to cost so many micro-dollars until it is known
    PRIMARY KEY (job, generation, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_cost ON attempts (cost_usd) WHERE cost_usd IS NOT NULL;

CREATE TABLE artifacts (
    job        INTEGER NOT NULL REFERENCES jobs (seq),
    generation INTEGER NOT NULL,
    n          INTEGER NOT NULL,                 -- from 1, in the service's order
    key        TEXT NOT NULL,                    -- the path under "output"
    url        TEXT NOT NULL,
    kind       TEXT,                             -- video, image, audio
    file       TEXT,                             -- relative to the folder; reserved before the rename
    file_key   TEXT UNIQUE,                      -- equal for names that some file system takes for one
    bytes      INTEGER,
    sha256     TEXT,
    saved_at   REAL,                             -- set when the file is there under its name
    PRIMARY KEY (job, generation, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_saved ON artifacts (file, saved_at) WHERE saved_at IS NOT NULL;

CREATE TABLE generations (                       -- what an edit or a redo superseded
    job           INTEGER NOT NULL REFERENCES jobs (seq),
    generation    INTEGER NOT NULL,
    model         TEXT NOT NULL,
    inputs        TEXT NOT NULL,
    meta          TEXT NOT NULL,
    state         TEXT NOT NULL,
    request_id    TEXT,
    error_code    TEXT,
    cost_usd      REAL,
    superseded_at REAL NOT NULL,
    PRIMARY KEY (job, generation)
) STRICT, WITHOUT ROWID;
{SPENDING}{IMAGES}{STORED}{WRITTEN}{TALLIES}"""

MIGRATIONS: Final[Mapping[int, str]] = {
    1: f"ALTER TABLE attempts ADD COLUMN reserved_micros INTEGER; {SPENDING}",
    2: IMAGES,
    3: STORED,
    4: WRITTEN,
    5: SPENDING_ANEW,
    6: TALLIES,
}
"""The statements that bring a ledger of the version named to the next one."""


def ensure_schema(
    connection: sqlite3.Connection,
    path: Path | None,
    *,
    version: int = VERSION,
    migrations: Mapping[int, str] = MIGRATIONS,
) -> None:
    """Create the tables in a new ledger, or migrate an older one after copying it to ``*.vN.bak``.

    Raises FolderUnusable for a ledger that a newer batchrunner wrote.
    """
    found = schema_version(connection)
    if found == version:
        return
    if found > version:
        raise FolderUnusable(
            f"the ledger was written by a newer batchrunner (schema {found}, this one knows {version})",
            hint="upgrade batchrunner and run the same command again",
        )
    if found == 0:
        script = SCHEMA
    else:
        if path is not None:
            _back_up(connection, path.with_name(f"{path.name}.v{found}.bak"))
        script = "\n".join(migrations[step] for step in range(found, version))
    connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {version}; COMMIT;")


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the schema's version; 0 for an empty database."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    with sqlite3.connect(path) as copy:
        connection.backup(copy)
    copy.close()
