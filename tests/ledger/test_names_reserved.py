"""No two outputs share a file, on any file system; a name is the ledger's before the file has it."""

from __future__ import annotations

import unicodedata

import pytest

from batchrunner.lifecycle import State
from batchrunner.names import collision_key
from tests.builders import a_job, bring, nothing, save, take, the


def reserved(store, job_id: str, *, extension: str = ".mp4", taken=nothing) -> str:
    return store.reserve(
        the(store, job_id).seq, 1, kind="video", extension=extension, size_bytes=5, sha256="ab", taken=taken
    )


def ready(store, *job_ids: str) -> None:
    take(store, [a_job(job_id, row=row) for row, job_id in enumerate(job_ids, start=2)])
    for job_id in job_ids:
        bring(store, State.READY, job_id)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fox", "FOX"),
        ("é", unicodedata.normalize("NFD", "é")),
        ("straße", "STRASSE"),
        ("a/b", "a_b"),
        ("a:b", "a?b"),
        ("..", "."),
    ],
)
def test_ids_that_some_file_system_takes_for_one_get_two_names(store, one, other):
    ready(store, one, other)

    names = {reserved(store, one), reserved(store, other)}

    assert len({collision_key(name) for name in names}) == 2
    assert all(name.startswith("videos/") and name.count("/") == 1 for name in names)


def test_the_second_output_of_one_job_and_the_first_of_another_are_kept_apart(store):
    take(store, [a_job("fox"), a_job("fox.2", row=3)])
    bring(store, State.SUCCEEDED, "fox", outputs=2)
    bring(store, State.READY, "fox.2")

    assert collision_key(reserved(store, "fox.2")) != collision_key("videos/fox.2.mp4")


def test_a_name_that_a_strangers_file_has_is_left_to_it(store):
    ready(store, "fox")

    name = reserved(store, "fox", taken=lambda file: file == "videos/fox.mp4")

    assert name != "videos/fox.mp4"
    assert name.startswith("videos/fox-")


def test_a_name_is_found_even_when_everything_likely_is_taken(store):
    ready(store, "fox")
    asked: list[str] = []

    def first_five_are_taken(file: str) -> bool:
        asked.append(file)
        return len(asked) <= 5

    assert reserved(store, "fox", taken=first_five_are_taken) == asked[-1]
    assert len(set(asked)) == 6


def test_asking_again_gives_the_same_name_although_the_file_is_there_by_now(store):
    ready(store, "fox")
    first = reserved(store, "fox")

    assert reserved(store, "fox", taken=lambda file: True) == first


def test_another_kind_of_file_gets_another_name(store):
    ready(store, "fox")
    reserved(store, "fox")

    assert reserved(store, "fox", extension=".webm") == "videos/fox.webm"


def test_each_kind_has_its_folder(store):
    ready(store, "fox")
    seq = the(store, "fox").seq
    more = {"size_bytes": 5, "sha256": "ab", "taken": nothing}

    assert store.reserve(seq, 1, kind="image", extension=".png", **more) == "images/fox.png"
    assert store.reserve(seq, 1, kind="audio", extension=".wav", **more) == "audio/fox.wav"


def test_a_saved_name_is_remembered_with_its_size_and_hash(store):
    ready(store, "fox")

    save(store)

    (artifact,) = store.artifacts(the(store).seq, 1)
    assert (artifact.file, artifact.kind, artifact.bytes, artifact.sha256, artifact.saved) == (
        "videos/fox.mp4",
        "video",
        5,
        "ab",
        True,
    )
