"""File names made from ids, and foreign text made fit to show."""

import sys
import unicodedata

import pytest

from batchrunner.names import MAX_NAME_BYTES, collision_key, file_name, printable, safe_stem


@pytest.mark.parametrize(
    "job_id",
    ["cat_01", "fox-seed=1", "007", "a b", "日本語", "café", "v1.2", "fox'(1)&co", "_", "COM10", "console"],
)
def test_an_id_that_is_portable_is_its_own_stem(job_id):
    assert safe_stem(job_id) == job_id


@pytest.mark.parametrize(
    ("job_id", "cleaned"),
    [
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("a/b\\c:d", "a_b_c_d"),
        ("-rf", "_rf"),
        (".hidden", "_hidden"),
        (" lead", "lead"),
        ("trail. .", "trail"),
        ("", "job"),
        ("..", "_"),
        ("...", "_"),
        ("   ", "job"),
        ("a\x00b\x1b[31m", "a_b_[31m"),
        ("a\u202egpj", "a_gpj"),
        ("a\u200db\ufe0f", "a_b_"),
        ("a\u00a0b\u3000c\u2028d", "a_b_c_d"),
        ("a\ud800", "a_"),
        ("e\u0301", "é"),
        ("\ue000\uffff", "__"),
    ],
)
def test_an_id_that_is_not_portable_is_cleaned_and_marked_with_its_hash(job_id, cleaned):
    stem = safe_stem(job_id)

    assert stem[:-9] == cleaned
    assert stem[-9] == "-"
    assert set(stem[-8:]) <= set("0123456789abcdef")


@pytest.mark.parametrize("job_id", ["CON", "nul.txt", "Aux", "com1", "COM¹.a.b", "LPT9 .x", "CONIN$", "lpt0"])
def test_no_windows_device_becomes_a_file_name(job_id):
    assert safe_stem(job_id).startswith(f"_{job_id}"[:4])


def test_ids_cleaned_to_the_same_text_get_different_stems():
    assert safe_stem("a/b") != safe_stem("a:b")
    assert safe_stem("é") != safe_stem("e\u0301")


def test_a_long_id_is_cut_between_characters_and_keeps_the_whole_name_within_bounds():
    name = file_name("狐" * 5_000_000, 999, ".webp", distinct=True)

    assert len(name.encode()) <= MAX_NAME_BYTES
    assert name.startswith("狐" * 60)
    assert "\ufffd" not in name


def test_a_stem_is_the_same_in_every_run():
    assert safe_stem("a/b") == "a_b-c14cddc0"


def test_outputs_are_numbered_from_the_second():
    assert file_name("fox", 1, ".mp4") == "fox.mp4"
    assert file_name("fox", 2, ".mp4") == "fox.2.mp4"


def test_a_name_that_is_taken_is_marked_once():
    assert file_name("fox", 2, ".mp4", distinct=True) == "fox-776cb326.2.mp4"
    assert file_name("a/b", 1, ".mp4", distinct=True) == file_name("a/b", 1, ".mp4")


@pytest.mark.parametrize(
    ("n", "extension"),
    [
        (0, ".mp4"),
        (-1, ".mp4"),
        (1, "mp4"),
        (1, ".m/p"),
        (1, ""),
        (1, "."),
        (1, ".mp4\n"),
        (1, ".toolonger9"),
    ],
)
def test_a_number_or_extension_that_cannot_be_is_our_bug(n, extension):
    with pytest.raises(ValueError):
        file_name("fox", n, extension)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fox.mp4", "fOX.MP4"),
        ("café", "cafe\u0301"),
        ("STRASSE", "straße"),
        ("\u212a", "k"),  # the Kelvin sign
        ("\u00c5", "\u212b"),  # the Ångström sign
        ("ı", "I"),
        ("ſ", "S"),
        ("Σ", "ς"),
        ("ﬁ", "FI"),
        ("a\u200db", "ab"),
        ("a\ufe0f", "a"),
        ("１", "1"),
    ],
)
def test_names_a_file_system_may_take_for_one_share_their_key(one, other):
    assert collision_key(one) == collision_key(other)


def test_names_every_file_system_tells_apart_have_different_keys():
    names = ["fox", "fux", "fox.2", "fox 2", "föx", "f0x", "狐"]

    assert len({collision_key(name) for name in names}) == len(names)


def test_no_code_point_differs_from_its_other_spellings_in_its_key():
    every = map(chr, range(sys.maxunicode + 1))

    apart = [
        f"{ord(char):x}"
        for char in every
        if (key := collision_key(char)) != collision_key(key)
        or any(
            key != collision_key(other)
            for other in {char.upper(), char.lower(), unicodedata.normalize("NFD", char)}
        )
    ]

    assert apart == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode 狐 👨\u200d👩", "plain text, ünïcode 狐 👨\u200d👩"),
        ("a\nb\tc\u2028d", "a b c d"),
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_foreign_text_is_shown_without_reaching_the_terminal_as_a_command(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("\x1b\x1b", 5, "\\x1b…"),
        ("", 0, ""),
    ],
)
def test_long_text_is_shortened_visibly(text, limit, shown):
    assert printable(text, limit) == shown


def test_shortening_does_not_depend_on_the_length_of_the_text():
    assert printable("x" * 50_000_000, 10) == "x" * 9 + "…"
