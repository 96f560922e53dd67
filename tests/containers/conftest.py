"""Real films, pictures and sounds, made once a session by the encoders people use."""

import io
import math
import struct
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

import av
import pytest
from av.container import OutputContainer
from PIL import Image, ImageDraw

from batchrunner.containers import Media, examine

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
RATE = 12
SAMPLES = 1024


def picture(n: int, size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    """A drawing that differs with *n*, with some noise so that every frame has bytes of its own."""
    image = Image.effect_noise(size, 60).convert("RGB")
    ImageDraw.Draw(image).ellipse((n, n // 2, n + 30, n // 2 + 30), fill=(250, 40 + n % 200, 10))
    return image.convert(mode)


def film(
    container: str,
    codec: str = "libx264",
    *,
    sound: str | None = None,
    frames: int = 12,
    size: tuple[int, int] = (64, 48),
    mux: dict[str, str] | None = None,
    pixels: str = "yuv420p",
) -> bytes:
    def write(out: OutputContainer) -> None:
        video = out.add_stream(codec, rate=RATE, width=size[0], height=size[1], pix_fmt=pixels)
        video.codec_context.gop_size = 4
        audio = out.add_stream(sound, rate=48_000) if sound else None
        for n in range(frames):
            out.mux(video.encode(av.VideoFrame.from_image(picture(n, size))))
        out.mux(video.encode(None))
        if audio is not None:
            for frame in tones(audio.codec_context.format.name, frames * 4):
                out.mux(audio.encode(frame))
            out.mux(audio.encode(None))

    return written(container, write, mux or {})


def written(container: str, write: Callable[[OutputContainer], None], mux: dict[str, str]) -> bytes:
    """The bytes *write* makes; by way of a disk, because ``faststart`` opens the file a second time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film")
        with av.open(str(path), "w", format=container, options=mux) as out:
            write(out)
        return path.read_bytes()


def tones(sample_format: str, count: int) -> Iterator[av.AudioFrame]:
    for n in range(count):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=SAMPLES)
        wave = [int(9_000 * math.sin((n * SAMPLES + i) / (9 + n % 5))) for i in range(SAMPLES)]
        frame.planes[0].update(b"".join(struct.pack("<hh", value, -value) for value in wave))
        frame.sample_rate, frame.pts, frame.time_base = 48_000, n * SAMPLES, Fraction(1, 48_000)
        yield from av.AudioResampler(format=sample_format, layout="stereo", rate=48_000).resample(frame)


def sound(container: str, codec: str) -> bytes:
    def write(out: OutputContainer) -> None:
        stream = out.add_stream(codec, rate=48_000)
        for frame in tones(stream.codec_context.format.name, 20):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    return written(container, write, {})


def still(kind: str, mode: str = "RGB", **options: object) -> bytes:
    target = io.BytesIO()
    picture(7, mode=mode).save(target, kind, **options)
    return target.getvalue()


def moving(kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    first, *rest = (picture(n) for n in range(4))
    first.save(target, kind, save_all=True, append_images=rest, duration=80, **options)
    return target.getvalue()


MAKERS: dict[str, Callable[[], bytes]] = {
    "mp4": partial(film, "mp4"),
    "mp4-one-frame": partial(film, "mp4", frames=1),
    "mp4-faststart": partial(film, "mp4", mux={"movflags": "faststart"}),
    "mp4-large": partial(film, "mp4", frames=40, size=(320, 240)),
    "mp4-aac": partial(film, "mp4", sound="aac"),
    "mp4-aac-faststart": partial(film, "mp4", sound="aac", mux={"movflags": "faststart"}),
    "mp4-opus": partial(film, "mp4", sound="libopus"),
    "mp4-h265": partial(film, "mp4", "libx265"),
    "mp4-mpeg4": partial(film, "mp4", "mpeg4"),
    "mp4-vp9": partial(film, "mp4", "libvpx-vp9"),
    "fragmented": partial(film, "mp4", mux=FRAGMENTS),
    "fragmented-aac": partial(film, "mp4", sound="aac", mux=FRAGMENTS),
    "fragmented-old": partial(film, "mp4", sound="aac", mux={"movflags": "frag_keyframe"}),
    "fragmented-cmaf": partial(film, "mp4", mux={"movflags": "cmaf+frag_every_frame+global_sidx"}),
    "mov": partial(film, "mov", sound="pcm_s16le"),
    "mov-aac": partial(film, "mov", sound="aac"),
    "mov-prores": partial(film, "mov", "prores_ks", pixels="yuv422p10le"),
    "webm-vp8": partial(film, "webm", "libvpx"),
    "webm-vp9-opus": partial(film, "webm", "libvpx-vp9", sound="libopus"),
    "webm-live": partial(film, "webm", "libvpx", mux={"live": "1"}),
    "mkv": partial(film, "matroska", sound="aac"),
    "m4a": partial(sound, "mp4", "aac"),
    "weba": partial(sound, "webm", "libopus"),
    "png": partial(still, "png"),
    "png-grey": partial(still, "png", "L"),
    "png-black-white": partial(still, "png", "1"),
    "png-palette": partial(still, "png", "P"),
    "png-alpha": partial(still, "png", "RGBA"),
    "apng": partial(moving, "png"),
    "jpeg": partial(still, "jpeg"),
    "jpeg-progressive": partial(still, "jpeg", progressive=True),
    "jpeg-restarts": partial(still, "jpeg", restart_marker_blocks=2),
    "jpeg-exif": partial(still, "jpeg", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\xff\xd9"),
    "webp": partial(still, "webp"),
    "webp-lossless": partial(still, "webp", lossless=True),
    "webp-alpha": partial(still, "webp", "RGBA"),
    "webp-animated": partial(moving, "webp"),
    "gif": partial(still, "gif", "P"),
    "gif-animated": partial(moving, "gif"),
    "avif": partial(still, "avif"),
    "wav": partial(sound, "wav", "pcm_s16le"),
}


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """The bytes of a real file by the name it has in MAKERS."""
    return cache(lambda name: MAKERS[name]())


@pytest.fixture(scope="session")
def look(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], Media]:
    """`examine` for bytes instead of a path."""
    path: Path = tmp_path_factory.mktemp("containers") / "film.part"
    path.touch()

    def examine_bytes(data: bytes) -> Media:
        with path.open("r+b") as file:  # not emptied first: ext4 would wait for the disk each time
            file.write(data)
            file.truncate()
        return examine(path)

    return examine_bytes
