"""Write the 1,118 jobs of VBench's image-to-video suite as JSON Lines.

    python manifests/make_vbench.py > manifests/vbench_i2v.jsonl

The pictures' names hold blanks, commas and apostrophes: they are percent-encoded.  The host is an example:
put the pictures on one of your own and change BASE.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
BASE = "https://images.example.com/"
SOURCE = Path(__file__).parents[1] / "tests/data/vbench_i2v/vbench2_i2v_full_info.json"


def jobs(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, 1):
        yield {
            "id": f"vbench-{number:04}",
            "model": MODEL,
            "text": row["prompt_en"],
            "images": [BASE + quote(row["image_name"])],
            "meta": {"dimension": row["dimension"], "image_type": row["image_type"]},
        }


if __name__ == "__main__":
    for job in jobs(json.loads(SOURCE.read_text(encoding="utf-8"))):
        print(json.dumps(job))
