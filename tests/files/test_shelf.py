"""Where films come to lie: nothing half-written has a final name, nothing is anybody else's to read."""

from __future__ import annotations

from hashlib import sha256
from importlib import resources

import anyio
import pytest

from batchrunner.containers import NotWhole
from batchrunner.files.shelf import MOST_UNSENT_BYTES, PARTS, DiskShelf

pytestmark = pytest.mark.anyio

FILM = resources.files("batchrunner.simulator").joinpath("tiny.mp4").read_bytes()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def shelf(tmp_path):
    return DiskShelf(tmp_path)


async def test_a_film_gets_its_name_only_when_it_is_whole_and_hashed(shelf, tmp_path):
    async with shelf.begin("1.1.1") as part:
        await part.write(FILM[:100])
        await part.write(FILM[100:])
        assert not (tmp_path / "videos").exists()

        sealed = await part.seal()
        await shelf.keep(part, "videos/fox.mp4")

    assert (sealed.media.kind, sealed.media.extension) == ("video", ".mp4")
    assert (sealed.size_bytes, sealed.sha256) == (len(FILM), sha256(FILM).hexdigest())
    assert (tmp_path / "videos/fox.mp4").read_bytes() == FILM
    assert list((tmp_path / PARTS).iterdir()) == []


async def test_what_is_no_whole_film_is_not_sealed(shelf):
    async with shelf.begin("1.1.1") as part:
        await part.write(FILM[:-10])

        with pytest.raises(NotWhole):
            await part.seal()


async def test_what_was_no_film_is_kept_aside_and_the_part_begins_anew(shelf, tmp_path):
    async with shelf.begin("1.1.1") as part:
        await part.write(b"<html>")
        await part.set_aside()
        assert part.size_bytes == 0
        await part.write(FILM)
        await part.seal()
        await shelf.keep(part, "videos/fox.mp4")

    assert (tmp_path / PARTS / "1.1.1.rejected").read_bytes() == b"<html>"
    assert (tmp_path / "videos/fox.mp4").read_bytes() == FILM


async def test_a_restarted_part_forgets_what_had_arrived(shelf):
    async with shelf.begin("1.1.1") as part:
        await part.write(b"x" * (len(FILM) + 100))
        await part.restart()
        await part.write(FILM)
        sealed = await part.seal()

    assert (sealed.size_bytes, sealed.sha256) == (len(FILM), sha256(FILM).hexdigest())


async def test_a_part_that_went_to_the_disk_as_it_grew_is_whole_also_after_a_restart(shelf, tmp_path):
    padding = 2 * MOST_UNSENT_BYTES
    film = FILM + (padding + 8).to_bytes(4, "big") + b"free" + bytes(padding)
    pieces = [film[begin : begin + (1 << 20)] for begin in range(0, len(film), 1 << 20)]
    async with shelf.begin("1.1.1") as part:
        for piece in [*pieces[:-1], None, *pieces]:
            await (part.restart() if piece is None else part.write(piece))
        sealed = await part.seal()
        await shelf.keep(part, "videos/fox.mp4")

    assert (sealed.size_bytes, sealed.sha256) == (len(film), sha256(film).hexdigest())
    assert (tmp_path / "videos/fox.mp4").read_bytes() == film


async def test_a_part_is_closed_only_when_a_write_that_was_cancelled_is_over(shelf, tmp_path):
    with anyio.CancelScope() as scope:
        async with shelf.begin("1.1.1") as part:
            await part.write(FILM)
            await part.write(FILM * 1000)
            scope.cancel()
            await part.write(FILM)  # its turn comes with the next one: what is written is the one before

    assert (tmp_path / PARTS / "1.1.1.part").stat().st_size in (len(FILM), len(FILM) * 1001)


async def test_nothing_is_left_of_a_part_that_was_cancelled_before_its_first_bytes(shelf, tmp_path):
    with anyio.CancelScope() as scope:
        async with shelf.begin("1.1.1") as part:
            scope.cancel()
            await part.write(FILM)

    assert not (tmp_path / PARTS).exists()


async def test_a_part_to_which_nothing_came_is_not_whole(shelf):
    async with shelf.begin("1.1.1") as part:
        with pytest.raises(NotWhole, match="empty"):
            await part.seal()
        await part.set_aside()
        await part.write(FILM)

        assert (await part.seal()).size_bytes == len(FILM)


async def test_a_part_that_a_crash_left_is_begun_anew(shelf, tmp_path):
    (tmp_path / PARTS).mkdir()
    (tmp_path / PARTS / "1.1.1.part").write_bytes(b"x" * 99_999)

    async with shelf.begin("1.1.1") as part:
        assert part.size_bytes == 0
        await part.write(FILM)
        assert (await part.seal()).size_bytes == len(FILM)


async def test_films_are_the_users_alone(shelf, tmp_path):
    async with shelf.begin("1.1.1") as part:
        await part.write(FILM)
        await part.seal()
        await shelf.keep(part, "videos/fox.mp4")

    assert (tmp_path / "videos/fox.mp4").stat().st_mode & 0o077 == 0
    assert (tmp_path / "videos").stat().st_mode & 0o077 == 0
    assert (tmp_path / PARTS).stat().st_mode & 0o077 == 0


async def test_a_name_is_taken_by_anything_that_stands_there(shelf, tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/file.mp4").touch()
    (tmp_path / "videos/dangling.mp4").symlink_to(tmp_path / "nowhere")

    assert shelf.is_taken("videos/file.mp4")
    assert shelf.is_taken("videos/dangling.mp4")
    assert not shelf.is_taken("videos/other.mp4")


async def test_an_old_film_is_moved_out_of_the_way(shelf, tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/fox.mp4").write_bytes(FILM)

    await shelf.move("videos/fox.mp4", "superseded/videos/fox.g1.mp4")
    await shelf.move("videos/fox.mp4", "superseded/videos/fox.g1.mp4")  # nothing there any more

    assert (tmp_path / "superseded/videos/fox.g1.mp4").read_bytes() == FILM
    assert not (tmp_path / "videos/fox.mp4").exists()


async def test_free_space_is_that_of_the_folders_disk(shelf):
    assert shelf.free_bytes() > 0
