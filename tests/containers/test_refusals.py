"""What is said of files that are not whole, and that a hostile one costs nothing."""

import gzip
import struct
import time
import tracemalloc
import zlib

import pytest

from batchrunner.containers import Kind, NotWhole, examine
from batchrunner.containers.reader import BLOCK, Reader


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
    gzip.compress(b"film" * 100, mtime=0): "it is compressed with gzip",
    b"PK\x03\x04....": "it is a ZIP archive",
    b"ID3\x04": "it is an MP3 file, which cannot be checked",
    b"\x80\x81\x82" * 2_000: "it is of no known kind (it begins with 80 81 82",
    ("x" * 2_047 + "狐").encode(): "it is text: 'xxx",
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


def handmade(media, sizes, *, first_chunk=0, step=0, between=b"", coding=b"avc1"):
    """A film of H.264 with an index by hand: one chunk a frame, each *step* bytes behind the one before."""
    head = box(b"ftyp", b"isom" + bytes(4))

    def index(at):
        setup = box(b"avcC", b"\1\x64\0\x0a\xff")
        count = len(sizes)
        offsets = [at + first_chunk + n * step for n in range(count)]
        table = (
            box(b"stsd", struct.pack(">II", 0, 1) + box(coding, bytes(78) + setup))
            + box(b"stsz", struct.pack(f">III{count}I", 0, 0, count, *sizes))
            + between
            + box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1))
            + box(b"stco", struct.pack(f">II{count}I", 0, count, *offsets))
        )
        handler = box(b"hdlr", bytes(8) + b"vide" + bytes(12))
        media_box = box(b"mdia", handler + box(b"minf", box(b"stbl", table)))
        return box(b"moov", box(b"trak", box(b"tkhd", bytes(84)) + media_box))

    return head + index(len(head) + len(index(0)) + 8) + box(b"mdat", media)


UNIT = struct.pack(">I", 4) + b"\x65\x88\x84\x01"


def test_a_film_made_by_hand_is_whole(look):
    assert look(handmade(UNIT * 6, [16, 16, 16], step=16)).kind is Kind.VIDEO


def test_of_two_boxes_of_a_name_the_first_counts(look):
    second = box(b"stsz", struct.pack(">IIII", 0, 0, 1, 9_999))

    assert look(handmade(UNIT * 6, [16, 16, 16], step=16, between=second)).kind is Kind.VIDEO


def test_a_frame_whose_last_units_are_zeros_is_damaged(look):
    media = UNIT * 2 + UNIT + bytes(8) + UNIT * 2

    assert "units do not add up" in refusal(look, handmade(media, [16, 16, 16], step=16))


def test_an_index_that_names_the_same_bytes_again_and_again_is_refused(look):
    """Two thousand frames of 32,000 bytes, all in one place: every table agrees, walking it takes minutes."""
    media = UNIT * 4_000
    started = time.process_time()

    assert "more bytes of frames than the file has" in refusal(look, handmade(media, [len(media)] * 2_000))
    assert time.process_time() - started < 1


@pytest.mark.parametrize("coding", [b"avc1", b"av01"])  # looked into, and not
def test_frames_half_outside_the_media_data_are_refused(coding, look):
    film = handmade(UNIT * 6, [16, 16, 16], first_chunk=8, step=16, coding=coding) + box(b"free", UNIT)

    assert "where there is no media data" in refusal(look, film)


@pytest.mark.parametrize(("name", "box_name", "offset"), [("mp4", b"stsz", 8), ("fragmented", b"trun", 4)])
def test_a_list_that_is_shorter_than_it_says_is_refused(name, box_name, offset, look, sample):
    film = sample(name)
    (count,) = struct.unpack_from(">I", film, film.index(box_name) + 4 + offset)

    assert f"announces {count + 1:,}" in refusal(look, patched(film, box_name, offset, ">I", count + 1))


def test_bytes_too_few_for_a_box_are_named(look, sample):
    film = sample("mp4")

    assert f"from {len(film):,} to {len(film) + 1:,} belong to no box" in refusal(look, film + b"\n")


def test_a_file_of_nothing_but_boxes_is_refused_early(look):
    assert "more boxes than a real film" in refusal(look, box(b"free") * 300_000)


def test_the_number_of_reads_is_bounded_whatever_the_format(tmp_path):
    path = tmp_path / "film"
    path.write_bytes(bytes(100))

    with path.open("rb") as file:
        reader = Reader(file, max_reads=3)
        pieces = reader.blocks(0, 100, "it", block=10)
        with pytest.raises(NotWhole, match="more pieces"):
            list(pieces)


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
    damaged = bytearray(sample("png-palette"))
    damaged[sample("png-palette").index(b"PLTE") + 10] ^= 1

    assert "'PLTE'" in refusal(look, bytes(damaged))


def test_a_png_whose_pixels_lack_their_own_checksum_is_not_whole(look):
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 8, 0, 0, 0, 0))

    cut = start + chunk(b"IDAT", zlib.compress(bytes(15))[:-1]) + chunk(b"IEND", b"")

    assert "too few pixels" in refusal(look, cut)


WEBM_ELEMENTS = [
    (b"\xa3", b"\xc0", "there should be a block"),  # a block
    (b"\x1c\x53\xbb\x6b", b"\x1f\xff\xff\xf0", "nothing a film consists of"),  # the list of cues
]


@pytest.mark.parametrize(("first", "unknown", "words"), WEBM_ELEMENTS)
def test_a_webm_consists_of_nothing_but_its_own_elements(first, unknown, words, look, sample):
    film = sample("webm-vp8")
    at = film.index(first, film.index(b"\x1f\x43\xb6\x75"))  # the first cluster

    assert words in refusal(look, film[:at] + unknown + film[at + len(first) :])
    refusal(look, film[:at] + bytes(20) + film[at + 20 :])


def test_a_jpeg_without_a_picture_or_a_size_is_not_whole(look, sample):
    assert "without a picture" in refusal(look, b"\xff\xd8\xff\xd9")
    assert "without a size" in refusal(look, patched(sample("jpeg"), b"\xff\xc0\x00\x11", 1, ">H", 0))
    assert "without a size" in refusal(look, patched(sample("jpeg"), b"\xff\xc0\x00\x11", 3, ">H", 0))


def test_a_jpeg_segment_shorter_than_its_own_length_is_damaged(look, sample):
    assert "is damaged" in refusal(look, patched(sample("jpeg"), b"\xff\xdb", -2, ">H", 1))


def test_a_jpeg_whose_end_marker_lies_across_two_reads_is_whole(look):
    frame = b"\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00"
    start = b"\xff\xd8" + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"

    for length in range(BLOCK - 2, BLOCK + 2):
        assert look(start + b"\xff\x00" + b"\x55" * length + b"\xff\xd9").kind is Kind.IMAGE


def test_a_gif_without_a_picture_a_size_or_a_possible_code_is_not_whole(look, sample):
    gif = sample("gif")
    image = gif.index(b"\x2c\0\0\0\0")

    assert "without a picture" in refusal(look, gif[:10] + b"\0\0\0;")
    assert "without a size" in refusal(look, gif[: image + 5] + bytes(2) + gif[image + 7 :])
    assert "is damaged" in refusal(look, gif[: image + 10] + b"\x0c" + gif[image + 11 :])


def riff(kind, *parts):
    body = b"".join(name + struct.pack("<I", len(data)) + data for name, data in parts)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + kind + body


def test_a_riff_file_holds_what_its_kind_promises(look):
    assert "without a picture" in refusal(look, riff(b"WEBP", (b"EXIF", bytes(8))))
    assert "picture is damaged" in refusal(look, riff(b"WEBP", (b"VP8 ", bytes(20))))
    assert "picture is damaged" in refusal(look, riff(b"WEBP", (b"VP8L", bytes(20))))
    assert "lacks its data" in refusal(look, riff(b"WAVE", (b"fmt ", bytes(16))))
    assert "another kind ('AVI ')" in refusal(look, riff(b"AVI ", (b"LIST", bytes(16))))


def test_a_riff_chunk_longer_than_the_file_is_found(look, sample):
    assert "longer than the file" in refusal(look, patched(sample("webp"), b"VP8 ", 0, "<I", 1 << 20))


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
