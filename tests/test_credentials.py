"""Where the token is looked for, and what is refused as one."""

from __future__ import annotations

import json

import pytest

from batchrunner.credentials import MAX_CHARACTERS, find_token, token_file
from batchrunner.errors import AccountRefused


def write_token_file(path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.fixture
def home(tmp_path):
    return {"HOME": str(tmp_path)}


def test_the_environment_is_asked_in_order(home):
    environ = home | {"RUNCOMFY_API_KEY": "third", "RUNCOMFY_TOKEN": "second"}

    assert find_token(environ) == "second"
    assert find_token(environ | {"RUNCOMFY_API_TOKEN": "first"}) == "first"


def test_an_empty_variable_is_none(home):
    assert find_token(home | {"RUNCOMFY_API_TOKEN": "  ", "RUNCOMFY_TOKEN": " second\n"}) == "second"


@pytest.mark.parametrize(
    ("names", "place"),
    [
        ({}, ".config/runcomfy/token.json"),
        ({"XDG_CONFIG_HOME": "xdg"}, "xdg/runcomfy/token.json"),
        ({"RUNCOMFY_CONFIG_DIR": "own", "XDG_CONFIG_HOME": "xdg"}, "own/token.json"),
    ],
)
def test_then_the_official_clis_file(tmp_path, home, names, place):
    environ = home | {name: str(tmp_path / folder) for name, folder in names.items()}
    write_token_file(tmp_path / place, json.dumps({"access_token": "from-file\n"}))

    assert token_file(environ) == tmp_path / place
    assert find_token(environ) == "from-file"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"access_token": 7}', '{"access_token": ""}'])
def test_a_file_without_a_token_is_no_token(home, content):
    write_token_file(token_file(home), content)

    with pytest.raises(AccountRefused, match="no RunComfy token") as raised:
        find_token(home)

    assert "RUNCOMFY_API_TOKEN" in str(raised.value.hint)


@pytest.mark.parametrize(
    "token", ["two words", "line\nbreak", "tökén", "x" * (MAX_CHARACTERS + 1), "\x1b[31m"]
)
def test_what_can_be_no_token_is_refused_by_the_name_it_has_without_showing_it(home, token):
    with pytest.raises(AccountRefused, match="RUNCOMFY_TOKEN") as raised:
        find_token(home | {"RUNCOMFY_TOKEN": token})

    assert token not in str(raised.value)
