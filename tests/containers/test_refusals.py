"""What is said of files that are not whole, and that a hostile one costs nothing."""

import gzip
import struct
import time
import tracemalloc
import zlib

import pytest

from batchrunner.containers import Kind, NotWhole, examine


def refusal(look, data):
    with pytest.raises(NotWhole) as caught:
        look(data)
    assert caught.value.reason.isprintable()
    return caught.value.reason


def patched(data, name, offset, layout, *values):
    """*data* with *values* written at *offset* behind the first place where *name* stands."""
    changed = bytearray(data)
    struct.pack_into(layout, changed, data.index(name) + 4 + offset, *values)
    return bytes(changed)


def box(name, body=b""):
    return struct.pack(">I4s", 8 + len(body), name) + body


STRANGERS = {
    b"": "it is empty",
    bytes(5_000): "it begins with nothing but zeros",
    b"<!DOCTYPE html><html><body>Sign in</body></html>": "it is a web page (HTML): '<!DOCTYPE html>",
    b"\n <HTML lang=en>": "it is a web page (HTML)",
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>": "the storage host: AccessDenied",
    b"<?xml version='1.0'?><a/>": "it is XML: ",
    b'{"error_code": 400005,\n"message": "not\x1b[31m ready"}': 'it is JSON: \'{"error_code": 400005, "me',
    b"[]": "it is JSON",
    b"Not Found": "it is text: 'Not Found'",
    b"upstream \xe2\x80\xae error": "it is text",
    gzip.compress(b"film" * 100): "it is compressed with gzip",
    b"PK\x03\x04....": "it is a ZIP archive",
    b"ID3\x04": "it is an MP3 file, which cannot be checked",
    bytes(range(128, 200)): "it is of no known kind (it begins with 80 81 82",
}


@pytest.mark.parametrize(("data", "words"), STRANGERS.items())
def test_what_came_instead_is_named(data, words, look):
    assert words in refusal(look, data)


def test_a_long_text_is_quoted_only_in_part(look):
    assert len(refusal(look, "Bitte später noch einmal. ".encode() * 1_000)) < 120


def test_a_cut_film_is_described_by_where_it_ends(look, sample):
    faststart = sample("mp4-faststart")

    assert "its box 'mdat' goes on to byte" in refusal(look, faststart[:-1])
    assert f"the file ends at byte {len(faststart) - 1:,}" in refusal(look, faststart[:-1])
    assert "it has no index" in refusal(look, sample("mp4")[: sample("mp4").index(b"moov") - 4])


def test_a_film_without_frames_is_not_whole(look, sample):
    only_setup = sample("fragmented")[: sample("fragmented").index(b"moof") - 4]

    assert "without a single frame" in refusal(look, only_setup)


def test_a_film_whose_media_data_goes_on_to_the_end_of_the_file_is_whole(look, sample):
    assert look(patched(sample("mp4-faststart"), b"mdat", -8, ">I", 0)).kind is Kind.VIDEO


def test_a_film_with_64_bit_lengths_is_whole(look, sample):
    film = sample("mp4-faststart")
    at = film.index(b"mdat") - 4
    free = film.rindex(b"free", 0, at)
    assert film[free - 4 : free] == struct.pack(">I", 8), "the encoder leaves room for a longer header"

    media = film[at + 8 :]
    wide = film[: free - 4] + struct.pack(">I4sQ", 1, b"mdat", 16 + len(media)) + media

    assert look(wide).kind is Kind.VIDEO


@pytest.mark.parametrize("size", [1, 2, 7, 0xFFFF_FFFF, 0])
def test_a_box_of_an_impossible_size_ends_the_check(size, look, sample):
    assert "box" in refusal(look, patched(sample("mp4"), b"moov", -8, ">I", size))


@pytest.mark.parametrize("size", [0, 1, 15, 1 << 63, (1 << 64) - 1])
def test_a_64_bit_box_of_an_impossible_size_ends_the_check(size, look, sample):
    film = sample("mp4") + struct.pack(">I4sQ", 1, b"free", size)

    assert "its box 'free'" in refusal(look, film)


HOSTILE = {
    "four billion frames": (b"stsz", 8, ">I", 0xFFFF_FFFF),
    "four billion equal frames": (b"stsz", 4, ">II", 1, 0xFFFF_FFFF),
    "frames of four gigabytes": (b"stsz", 12, ">I", 0xFFFF_FFFF),
    "more frames than lie anywhere": (b"stsc", 12, ">I", 1),
    "four billion runs of chunks": (b"stsc", 4, ">I", 0xFFFF_FFFF),
    "a chunk behind the file": (b"stco", 8, ">I", 0xFFFF_0000),
    "a chunk in the header": (b"stco", 8, ">I", 0),
    "a chunk in the index": (b"stco", 8, ">I", 1_300),
    "four billion chunks": (b"stco", 4, ">I", 0xFFFF_FFFF),
    "no chunks": (b"stco", 4, ">I", 0),
}


@pytest.mark.parametrize("lie", HOSTILE)
@pytest.mark.parametrize("name", ["mp4", "mp4-aac-faststart", "mov"])
def test_an_index_that_lies_is_found_out_without_work_or_memory(lie, name, look, sample):
    where, offset, layout, *values = HOSTILE[lie]
    film = patched(sample(name), where, offset, layout, *values)

    tracemalloc.start()
    started = time.process_time()
    refusal(look, film)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert time.process_time() - started < 1
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("offset", "layout", "value"),
    [(4, ">I", 0xFFFF_FFFF), (8, ">i", -2_000_000_000), (8, ">i", 2_000_000_000)],
)
def test_a_fragment_that_lies_is_found_out(offset, layout, value, look, sample):
    refusal(look, patched(sample("fragmented"), b"trun", offset, layout, value))


def test_an_index_that_names_the_same_bytes_again_and_again_is_refused(look):
    """Two thousand frames of a megabyte each, all in one: honest by every table, endless to walk."""
    unit = struct.pack(">I", 4) + b"\x65\x88\x84\x01"
    media = unit * 4_000
    frames = 2_000
    head = box(b"ftyp", b"isom" + bytes(4))

    def index(chunk_at):
        setup = box(b"avcC", b"\1\x64\0\x0a\xff")
        table = (
            box(b"stsd", struct.pack(">II", 0, 1) + box(b"avc1", bytes(78) + setup))
            + box(b"stsz", struct.pack(">III", 0, 0, frames) + struct.pack(">I", len(media)) * frames)
            + box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1))
            + box(b"stco", struct.pack(">II", 0, frames) + struct.pack(">I", chunk_at) * frames)
        )
        handler = box(b"hdlr", bytes(8) + b"vide" + bytes(12))
        media_box = box(b"mdia", handler + box(b"minf", box(b"stbl", table)))
        return box(b"moov", box(b"trak", box(b"tkhd", bytes(84)) + media_box))

    chunk_at = len(head) + len(index(0)) + 8
    started = time.process_time()

    assert "more bytes of frames than the file has" in refusal(
        look, head + index(chunk_at) + box(b"mdat", media)
    )
    assert time.process_time() - started < 1


def test_a_film_of_two_gigabytes_takes_no_time_and_no_memory(tmp_path, sample):
    film = sample("mp4-faststart")
    at = film.index(b"mdat") - 4
    size = 2 * 1024**3
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.write(film[:at] + struct.pack(">I4s", size - at, b"mdat") + film[at + 8 :])
        file.truncate(size)

    tracemalloc.start()
    started = time.process_time()
    media = examine(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert media.kind is Kind.VIDEO
    assert time.process_time() - started < 1
    assert peak < 1_000_000


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, pixels, *, after=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(pixels)) + after
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def test_a_png_has_exactly_the_pixels_it_announces(look):
    assert look(png(4, 3, bytes(15))).extension == ".png"
    assert "too few pixels" in refusal(look, png(4, 3, bytes(14)))
    assert "more pixels" in refusal(look, png(4, 3, bytes(16)))
    assert "0 x 3" in refusal(look, png(0, 3, b""))


def test_an_interlaced_png_has_exactly_the_pixels_of_its_passes(look):
    """Adam7 of 3 x 3 grey pixels: passes of 1x1, 1x1, 2x1, 1x2 and 3x1, each row with its filter byte."""
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 3, 8, 0, 0, 0, 1))
    end = chunk(b"IEND", b"")

    assert look(start + chunk(b"IDAT", zlib.compress(bytes(15))) + end).kind is Kind.IMAGE
    assert "too few" in refusal(look, start + chunk(b"IDAT", zlib.compress(bytes(14))) + end)
    assert "more pixels" in refusal(look, start + chunk(b"IDAT", zlib.compress(bytes(16))) + end)


def test_a_png_bomb_is_refused_before_it_is_inflated(look):
    assert "too many to check" in refusal(look, png(2**31 - 1, 2**31 - 1, bytes(10_000)))


def test_a_damaged_png_chunk_is_named(look, sample):
    damaged = bytearray(sample("png"))
    damaged[sample("png").index(b"IDAT") + 100] ^= 1

    assert "IDAT" in refusal(look, bytes(damaged)) or "pixels" in refusal(look, bytes(damaged))


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "gif", "gif-animated"])
def test_bytes_behind_the_end_of_a_jpeg_or_gif_do_no_harm(name, look, sample):
    assert look(sample(name) + b"\0a trailer of the camera").kind is Kind.IMAGE


def test_a_webp_of_odd_length_may_lack_its_last_padding_byte(look, sample):
    whole = sample("webp")
    odd = (
        whole[:4] + struct.pack("<I", len(whole) - 8 + 9) + whole[8:] + b"TEST" + struct.pack("<I", 1) + b"x"
    )

    assert look(odd).extension == ".webp"
    assert look(odd + b"\0").extension == ".webp"
    refusal(look, odd + b"\0\0")


def test_a_file_that_is_not_there_is_no_verdict(tmp_path):
    with pytest.raises(FileNotFoundError):
        examine(tmp_path / "missing.mp4")
