"""The films are real: the right size and length, moving, and different for different inputs."""

from __future__ import annotations

import io
from functools import cache

import av
import pytest
from msgspec.structs import replace
from PIL import Image

from batchrunner.simulator.film import make_film
from batchrunner.simulator.film_order import SIZES, FilmOrder, order_film
from batchrunner.simulator.settings import Films
from batchrunner.simulator.studio import TinyStudio, open_studio

MODEL = "bytedance/seedance-1-0/lite/reference-to-video"
FOX = {"text": "a fox in the snow", "images": ["https://images.example.com/fox.png"], "duration": 2}


def order(model: str = MODEL, **inputs: object) -> FilmOrder:
    return order_film(model, {**FOX, **inputs}, request_id="4ab93651-c51c-4422-b8e2-4fc2359058bc", number=1)


@cache
def made(ordered: FilmOrder) -> bytes:
    """The film of an order, made once: one takes half a second of CPU."""
    return make_film(ordered)


def frames(film: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(film)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


@pytest.mark.parametrize(("resolution", "ratio"), [("480p", "16:9"), ("480p", "9:16"), ("720p", "21:9")])
def test_a_film_has_the_size_of_its_resolution_and_ratio(resolution, ratio):
    film = make_film(order(resolution=resolution, ratio=ratio))

    with av.open(io.BytesIO(film)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == SIZES[resolution, ratio]


@pytest.mark.parametrize("duration", [2, 5])
def test_a_film_has_the_length_that_was_asked_for_to_the_frame(duration):
    film = made(order(duration=duration))

    assert len(frames(film)) == duration * 24
    with av.open(io.BytesIO(film)) as container:
        assert container.duration / 1_000_000 == pytest.approx(duration, abs=1 / 24)
        assert container.streams.video[0].average_rate == 24


def test_a_film_moves():
    first, *_, last = frames(made(order()))

    assert first.tobytes() != last.tobytes()


def test_a_film_can_be_played_while_it_arrives():
    film = made(order())

    assert 0 < film.find(b"moov") < film.find(b"mdat")


def test_equal_orders_give_equal_bytes_and_other_prompts_other_films():
    assert make_film(order()) == made(order())
    assert make_film(order(text="a dog in the snow")) != made(order())


@pytest.mark.parametrize(
    "text",
    ["", "x" * 500, "word " * 100, "zwölf Füchse", "雪中的狐狸", "\x00\x1b[31m\ud800\u202e", "a\nb\tc", "🦊"],
)
def test_any_prompt_can_be_written_on_a_film(text):
    images = [f"https://e.example/{text}.png"] * 4

    film = make_film(order(text=text, images=images, ratio="9:16", duration=1))

    assert len(frames(film)) == 24


@pytest.mark.parametrize(
    "inputs",
    [
        {"duration": "long"},
        {"duration": -3},
        {"duration": None},
        {"ratio": "__probe__"},
        {"resolution": 5},
        {"text": ["a", "list"]},
        {"images": "one"},
    ],
)
def test_nonsense_inputs_get_a_plain_film(inputs):
    ordered = order(**inputs)

    assert (ordered.width, ordered.height) == (864, 480)
    assert ordered.duration_s in (2.0, 5.0)


def test_an_endless_duration_does_not_make_an_endless_film():
    assert order(duration=1e12).duration_s == 30.0


def test_all_sizes_are_even_as_the_codec_wants_them():
    assert all(width % 2 == 0 and height % 2 == 0 for width, height in SIZES.values())


def test_an_image_model_gets_a_picture():
    picture = Image.open(io.BytesIO(make_film(order("bytedance/seedream-4-0/text-to-image"))))

    assert (picture.format, picture.size) == ("PNG", (864, 480))


@pytest.mark.anyio
async def test_the_tiny_film_and_picture_are_small_and_real():
    studio = TinyStudio()

    film = await studio.make(order())
    picture = await studio.make(replace(order(), is_image=True))

    assert len(film) < 5_000
    assert len(frames(film)) == 48
    assert Image.open(io.BytesIO(picture)).format == "PNG"


@pytest.mark.anyio
async def test_a_film_that_is_fetched_in_parts_is_made_once():
    studio = open_studio(Films.REAL)

    first, second = await studio.make(order()), await studio.make(order())

    assert first is second
