"""Names and bytes: where films come to lie, and what never counts as one."""

from __future__ import annotations

import unicodedata

from .acts import answers
from .fake_service import film_of

HOSTILE = [
    "../../etc/passwd", "/etc/passwd", "a/b", "..", "CON", "nul.mp4", "com1", "Fox", "fox", "FOX", "fox.2",
    "fox.mp4", "café", "cafe\u0301", ".hidden", "-rf", "dot.", "a:b", 'q?*<>|"', "\\\\host\\share",
    "\U0001f98a" * 60, "x" * 200, "\u202egpj.exe", "ﬁsh", "fish", "straße", "STRASSE",
]  # fmt: skip
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def outside(batch):
    """Everything that stands beside the folder, but for the cache of models' schemas."""
    ours = {batch.folder, batch.home / ".cache"}
    return {path for path in batch.home.rglob("*") if not ours & {path, *path.parents}}


def test_no_id_leads_out_of_the_folder_or_onto_another_jobs_file(batch):
    batch.write(*({"id": name, "text": f"prompt {n}"} for n, name in enumerate(HOSTILE)))
    before = outside(batch)

    outcome = batch.run("--concurrency", 16)

    results = batch.results()
    files = [results[name]["outputs"][0]["file"] for name in HOSTILE]
    names = [file.removeprefix("videos/") for file in files]
    assert outcome.code == 0
    assert outside(batch) == before
    assert len({unicodedata.normalize("NFKD", name).casefold() for name in names}) == len(HOSTILE)
    for name, file in zip(names, files, strict=True):
        assert not set(name) & set('<>:"/|?*\\')
        assert len(name.encode()) <= 255
        assert name[0] not in "-. "
        assert name[-1] not in ". "
        assert name.partition(".")[0].lower() not in DEVICES
        assert (batch.folder / file).is_file()
    for n, name in enumerate(HOSTILE):
        assert (batch.folder / results[name]["outputs"][0]["file"]).read_bytes() == film_of(f"prompt {n}")


def test_no_escape_code_reaches_the_terminal(batch, fake):
    batch.write("fox\u009b31m", "owl")
    fake.always("submit", answers(422, {"detail": "\x1b]0;owned\x07\x1b[31m no \u202e"}), text="owl")

    outcome = batch.run("-v", "--progress", "plain")
    shown = batch.call("results", batch.folder)
    counted = batch.call("status", batch.folder)

    said = outcome.err + outcome.out + shown.out + shown.err + counted.out
    assert not set(said) & {"\x1b", "\x07", "\x9b", "\u202e"}


def test_a_film_that_was_deleted_is_fetched_again_and_not_paid_again(batch, fake):
    batch.write("fox", "owl")
    batch.run()
    (batch.folder / "videos/fox.mp4").unlink()

    outcome = batch.run()

    assert outcome.code == 0
    assert (batch.folder / "videos/fox.mp4").read_bytes() == film_of("fox")
    assert fake.posts() == 2
    assert len(fake.calls("film", "owl")) == 1


def test_a_dead_link_is_replaced_by_reading_the_result_again(batch, fake):
    batch.write("fox")
    fake.script("film", answers(403, b"<Error><Code>AccessDenied</Code></Error>"))

    outcome = batch.run()

    assert outcome.code == 0
    assert len(fake.calls("result")) == 2
    assert fake.posts() == 1


def test_a_download_goes_on_from_the_bytes_it_has(batch, fake):
    batch.write("fox")
    whole = film_of("fox")

    def half(exchange):
        headers = {"Content-Length": str(len(whole)), "ETag": '"v1"', "Accept-Ranges": "bytes"}
        exchange.start(200, headers)
        exchange.write(whole[:2000])
        exchange.hang_up()

    def rest(exchange):
        assert exchange.seen.headers["range"] == "bytes=2000-"
        span = f"bytes 2000-{len(whole) - 1}/{len(whole)}"
        exchange.reply(206, whole[2000:], ETag='"v1"', Content_Range=span)

    fake.script("film", half, rest)

    outcome = batch.run()

    assert outcome.code == 0
    assert (batch.folder / "videos/fox.mp4").read_bytes() == whole
    assert len(fake.calls("film")) == 2


def test_a_file_of_the_users_own_is_never_overwritten(batch):
    batch.write("fox")
    batch.run("--submit-only")
    (batch.folder / "videos").mkdir(exist_ok=True)
    (batch.folder / "videos/fox.mp4").write_text("mine")

    outcome = batch.run()

    (output,) = batch.results()["fox"]["outputs"]
    assert outcome.code == 0
    assert (batch.folder / "videos/fox.mp4").read_text() == "mine"
    assert (batch.folder / output["file"]).read_bytes() == film_of("fox")


def test_verify_finds_a_damaged_film_and_repairs_it_without_paying(batch, fake):
    batch.write("fox", "owl")
    batch.run()
    path = batch.folder / "videos/fox.mp4"
    path.write_bytes(path.read_bytes()[:-20] + b"\0" * 20)

    found = batch.call("verify", batch.folder)
    repaired = batch.call("verify", batch.folder, "--repair", "--base-url", fake.url)

    assert found.code == 1
    assert "videos/fox.mp4" in found.err
    assert repaired.code == 0
    assert path.read_bytes() == film_of("fox")
    assert fake.posts() == 2
