"""Laws of names: whatever the id, the name is portable, bounded and inside the folder."""

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner.names import MAX_NAME_BYTES, collision_key, file_name, printable, safe_stem

ANY_TEXT = st.text(st.characters() | st.sampled_from("./\\:-~ \x00\x1b\u0301\u202eCONnulé狐\ud800"))
WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)
EXTENSIONS = st.sampled_from([".mp4", ".mov", ".webm", ".png", ".jpg", ".webp"])


@given(ANY_TEXT)
@example("CON" + " " * 300 + ".x")
@example("ab" * 100 + ".")
@example("ΐ" * 150)
def test_a_stem_is_portable_whatever_the_id(job_id):
    stem = safe_stem(job_id)

    assert not set(stem) & set('<>:"/\\|?*')
    assert all(unicodedata.category(char)[0] != "C" for char in stem)
    assert stem[0] not in "-. "
    assert stem[-1] not in ". "
    assert unicodedata.is_normalized("NFC", stem)
    assert not WINDOWS_DEVICE.match(stem)


@given(ANY_TEXT, st.integers(1, 9_999), EXTENSIONS, st.booleans())
def test_a_name_is_one_part_of_a_path_and_fits_every_file_system(job_id, n, extension, distinct):
    name = file_name(job_id, n, extension, distinct=distinct)

    assert PurePosixPath(name).parts == (name,)
    assert PureWindowsPath(name).parts == (name,)
    assert name not in {".", ".."}
    assert len(name.encode()) <= MAX_NAME_BYTES


@given(ANY_TEXT)
def test_a_stem_used_as_an_id_stays_as_it_is_unless_it_is_too_long(job_id):
    stem = safe_stem(job_id)

    assert safe_stem(stem) == stem or len(stem.encode()) > 200


@given(ANY_TEXT, ANY_TEXT, st.integers(1, 9))
@example("fox", "FOX", 1)
@example("é", "E\u0301", 1)
def test_two_ids_whose_names_would_meet_are_told_apart_by_distinct(one, other, n):
    if one == other:
        return

    names = {file_name(job_id, n, ".mp4", distinct=True) for job_id in (one, other)}

    assert len({collision_key(name) for name in names}) == 2


@given(ANY_TEXT)
def test_a_key_is_its_own_key_and_forgets_case_and_composition(name):
    key = collision_key(name)

    assert collision_key(key) == key
    assert collision_key(name.upper()) == key
    assert collision_key(unicodedata.normalize("NFD", name)) == key


@given(ANY_TEXT, st.none() | st.integers(0, 40))
def test_shown_text_is_one_line_without_control_codes_and_within_its_limit(text, limit):
    shown = printable(text, limit)

    assert len(shown.splitlines()) <= 1
    assert all(char in "\u200c\u200d" or unicodedata.category(char)[0] != "C" for char in shown)
    assert limit is None or len(shown) <= limit
