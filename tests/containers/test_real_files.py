"""Whole files are recognised by their content, whoever wrote them."""

import pytest

from batchrunner.containers import Kind, Media

WHOLE = {
    **dict.fromkeys(
        ["mp4", "mp4-one-frame", "mp4-faststart", "mp4-large", "mp4-aac", "mp4-aac-faststart", "mp4-opus"],
        (Kind.VIDEO, ".mp4"),
    ),
    **dict.fromkeys(["mp4-h265", "mp4-mpeg4", "mp4-vp9"], (Kind.VIDEO, ".mp4")),
    **dict.fromkeys(
        ["fragmented", "fragmented-aac", "fragmented-old", "fragmented-cmaf"], (Kind.VIDEO, ".mp4")
    ),
    **dict.fromkeys(["mov", "mov-aac", "mov-prores"], (Kind.VIDEO, ".mov")),
    **dict.fromkeys(["webm-vp8", "webm-vp9-opus", "webm-live"], (Kind.VIDEO, ".webm")),
    "mkv": (Kind.VIDEO, ".mkv"),
    "m4a": (Kind.AUDIO, ".m4a"),
    "weba": (Kind.AUDIO, ".weba"),
    "wav": (Kind.AUDIO, ".wav"),
    **dict.fromkeys(
        ["png", "png-grey", "png-black-white", "png-palette", "png-alpha", "apng"], (Kind.IMAGE, ".png")
    ),
    **dict.fromkeys(["jpeg", "jpeg-progressive", "jpeg-restarts", "jpeg-exif"], (Kind.IMAGE, ".jpg")),
    **dict.fromkeys(["webp", "webp-lossless", "webp-alpha", "webp-animated"], (Kind.IMAGE, ".webp")),
    **dict.fromkeys(["gif", "gif-animated"], (Kind.IMAGE, ".gif")),
    "avif": (Kind.IMAGE, ".avif"),
}


@pytest.mark.parametrize(("name", "expected"), WHOLE.items())
def test_a_whole_file_is_recognised(name, expected, sample, look):
    kind, extension = expected

    assert look(sample(name)) == Media(kind=kind, extension=extension)
