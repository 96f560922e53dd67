"""Write the 180 jobs of OpenS2V-Eval as JSON Lines, the 127 that are too long for Seedance Lite included.

    python manifests/make_opens2v.py > opens2v.jsonl
    batchrunner validate opens2v.jsonl

The host is an example: put the pictures on one of your own and change BASE.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
BASE = "https://images.example.com/"
SOURCE = Path(__file__).parents[1] / "tests/data/opens2v_eval/Open-Domain_Eval.json"


def jobs(rows: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for name, row in rows.items():
        yield {
            "id": name,
            "model": MODEL,
            "text": row["prompt"],
            "images": [BASE + quote(path) for path in row["img_paths"]],
            "meta": {"class_label": row["class_label"]},
        }


if __name__ == "__main__":
    for job in jobs(json.loads(SOURCE.read_text(encoding="utf-8"))):
        print(json.dumps(job))
