"""Make a folder look as if most of its jobs were done long ago, files and all.

    python -m benchmarks.programs.finish_jobs FOLDER COUNT

The jobs go through the ledger's own steps, in one transaction; their files are empty, but there.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

from batchrunner._types import Output, RequestId
from batchrunner.ledger import Store
from batchrunner.lifecycle import State


def finish(store: Store, folder: Path, seq: int) -> None:
    now, link = time.time(), Output(key="video", url=f"https://films.example.com/{seq}.mp4")
    store.intend(seq, now)
    store.accepted(seq, RequestId(f"earlier-{seq}"), now)
    store.done(seq, (link,), 0.1, now, ran=(0.1, 0.2))
    file = store.reserve(
        seq, 1, kind="video", extension=".mp4", size_bytes=0, sha256="0" * 64, taken=lambda name: False
    )
    (folder / file).parent.mkdir(exist_ok=True)  # a large folder spreads its films
    (folder / file).touch()
    store.file_saved(seq, 1, now)


def main(folder: Path, count: int) -> None:
    (folder / "videos").mkdir(exist_ok=True)
    with closing(Store.open(folder / "ledger.sqlite")) as store:
        with store.transaction():
            for seq in islice(store.seqs(State.PENDING), count):
                finish(store, folder, seq)
        store.checkpoint()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
