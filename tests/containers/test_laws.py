"""Laws: whatever a network or a disk does to a whole file, it is not taken for whole afterwards."""

import io
import re
import time
from contextlib import suppress

import av
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner.containers import NotWhole
from tests.laws import tried

law = tried(0.15)  # for each of many files

# Files whose format leaves no place where a cut could pass for an end.
CUT_SHOWS = [
    "mp4", "mp4-one-frame", "mp4-faststart", "mp4-large", "mp4-aac", "mp4-aac-faststart", "mp4-opus",
    "mp4-h265", "mp4-mpeg4", "mp4-vp9", "mov", "mov-aac", "mov-prores", "m4a",
    "webm-vp8", "webm-vp9-opus", "mkv", "weba", "wav", "avif",
    "png", "png-palette", "png-alpha", "apng", "jpeg", "jpeg-progressive", "jpeg-restarts", "jpeg-exif",
    "webp", "webp-lossless", "webp-alpha", "webp-animated", "gif", "gif-animated",
]  # fmt: skip

FRAGMENTED = ["fragmented", "fragmented-aac", "fragmented-old", "fragmented-cmaf"]

# Formats that end where they say they end; behind a JPEG or GIF there may be anything.
EXTENSION_SHOWS = [name for name in CUT_SHOWS if not name.startswith(("jpeg", "gif"))]

ZEROS_SHOW = [
    "mp4", "mp4-one-frame", "mp4-faststart", "mp4-large", "mp4-aac", "mp4-aac-faststart",
    "mp4-h265", "mp4-mpeg4", "mp4-vp9", "mov-aac", "m4a",
    "fragmented", "fragmented-aac", "fragmented-old", "webm-live",
    "png", "png-palette", "png-alpha", "apng",
]  # fmt: skip


@pytest.mark.parametrize("name", CUT_SHOWS)
@law
@given(data=st.data())
def test_a_file_cut_anywhere_is_not_whole(name, data, sample, look):
    whole = sample(name)
    at = data.draw(st.integers(0, len(whole) - 1) | st.integers(len(whole) - 200, len(whole) - 1))

    with pytest.raises(NotWhole):
        look(whole[:at])


@pytest.mark.parametrize("name", ["mp4-one-frame", "png-black-white", "gif", "webp"])
def test_a_small_file_cut_at_every_single_byte_is_not_whole(name, sample, look):
    whole = sample(name)

    for at in range(len(whole)):
        with pytest.raises(NotWhole):
            look(whole[:at])


@pytest.mark.parametrize("name", FRAGMENTED)
@law
@given(data=st.data())
def test_a_fragmented_film_cut_anywhere_but_between_fragments_is_not_whole(name, data, sample, look):
    whole = sample(name)
    between = {found.start() - 4 for found in re.finditer(b"moof|mfra|sidx", whole)}
    at = data.draw(st.integers(0, len(whole) - 1).filter(lambda at: at not in between))

    with pytest.raises(NotWhole):
        look(whole[:at])


@pytest.mark.parametrize("name", EXTENSION_SHOWS)
@law
@given(more=st.binary(min_size=1, max_size=64) | st.integers(1, 5_000).map(bytes))
@example(more=b"\n")
@example(more=b"<html>")
@example(more=bytes(8))
def test_a_file_with_bytes_behind_its_end_is_not_whole(name, more, sample, look):
    whole = sample(name)
    if name.startswith(("webp", "wav")) and more == b"\0" and len(whole) % 2:
        return  # the padding byte RIFF asks for

    with pytest.raises(NotWhole):
        look(whole + more)


@pytest.mark.parametrize("name", ZEROS_SHOW)
@law
@given(data=st.data())
def test_a_file_whose_end_was_never_written_is_not_whole(name, data, sample, look):
    whole = sample(name)
    count = data.draw(st.integers(16, len(whole)) | st.integers(16, min(600, len(whole))))

    with pytest.raises(NotWhole):
        look(whole[:-count] + bytes(count))


@pytest.mark.parametrize("name", ["mp4-large", "mp4-aac", "mp4-h265", "fragmented", "mov"])
@law
@given(data=st.data())
def test_a_hole_of_zeros_over_the_begin_of_any_frame_is_found(name, data, sample, look):
    whole = sample(name)
    with av.open(io.BytesIO(whole)) as film:
        begins = [packet.pos for packet in film.demux(video=0) if packet.pos is not None]
    begin = data.draw(st.sampled_from(begins))
    start = data.draw(st.integers(begin - 50, begin))

    with pytest.raises(NotWhole):
        look(whole[:start] + bytes(begin + 4 - start) + whole[begin + 4 :])


@pytest.mark.parametrize("name", [*CUT_SHOWS, *FRAGMENTED, "webm-live"])
@law
@given(data=st.data())
def test_a_damaged_file_is_judged_quickly_and_without_a_crash(name, data, sample, look):
    damaged = bytearray(sample(name))
    places = st.integers(0, len(damaged) - 1) | st.integers(0, min(1_000, len(damaged) - 1))
    for place in data.draw(st.lists(places, min_size=1, max_size=12)):
        damaged[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))

    started = time.process_time()
    with suppress(NotWhole):
        look(bytes(damaged))

    assert time.process_time() - started < 2


BEGINNINGS = [
    b"", b"\0\0\0\x18ftypisom", b"\0\0\0\x08moov", b"\x1a\x45\xdf\xa3", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff",
    b"RIFF\x20\0\0\0WEBP", b"GIF89a", b"GIF89a\1\0\1\0\0\0\0", b"<html>", b"{",
]  # fmt: skip


@given(beginning=st.sampled_from(BEGINNINGS), rest=st.binary(max_size=2_000))
def test_random_bytes_are_never_whole_and_never_crash_the_check(beginning, rest, look):
    with pytest.raises(NotWhole):
        look(beginning + rest)
