"""Manifests to measure with: the same jobs as CSV, JSON Lines or YAML, and always the same ones."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MODEL: Final = "bytedance/seedance-1-0/lite/reference-to-video"

_WORDS: Final = [
    "an", "old", "young", "red", "silver", "quiet", "fox", "dancer", "harbour", "lantern", "street",
    "mountain", "river", "glass", "robot", "garden", "walks", "turns", "drifts", "opens", "glows", "falls",
    "slowly", "gently", "towards", "under", "behind", "across", "the", "camera", "at", "dawn", "in", "rain",
]  # fmt: skip


def jobs(count: int) -> Iterator[dict[str, object]]:
    """Yield *count* jobs: a sentence of a prompt, one to three pictures, and four settings."""
    chance = random.Random(7)
    for number in range(count):
        pictures = range(1 + number % 3)
        yield {
            "id": f"job-{number:07}",
            "text": " ".join(chance.choices(_WORDS, k=16)),
            "images": [f"https://images.example.com/set/{number:07}-{picture}.png" for picture in pictures],
            "resolution": chance.choice(["480p", "720p"]),
            "ratio": chance.choice(["16:9", "4:3", "1:1", "9:16"]),
            "duration": chance.choice([5, 10]),
            "seed": chance.randrange(2**31),
        }


def write_csv(path: Path, count: int) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text", "images", "resolution", "ratio", "duration", "seed"])
        for job in jobs(count):
            pictures = job["images"]
            assert isinstance(pictures, list)
            rows.writerow([*{**job, "images": "|".join(pictures)}.values()])
    return path


def write_jsonl(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(job) + "\n" for job in jobs(count))
    return path


def write_yaml(path: Path, count: int) -> Path:
    """Write one block a job, as people write them."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f"model: {MODEL}\njobs:\n")
        for job in jobs(count):
            lines = (f"{name}: {json.dumps(value)}" for name, value in job.items())
            file.write("  - " + "\n    ".join(lines) + "\n")
    return path
