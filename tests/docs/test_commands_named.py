"""Every command, flag and variable that a page names exists, and every call on a page can be parsed."""

from __future__ import annotations

import ast
import re
from functools import cache

import click
import pytest

from batchrunner.cli import COMMANDS
from batchrunner.errors import ErrorCode
from batchrunner.settings import RETRY_STATES
from manual.commands import command_contexts, variable

from .pages import DOCS, READ_BY_PEOPLE, ROOT, Block, blocks, calls, inline_code, shell_lines, typed

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
VARIABLE = re.compile(r"BATCHRUNNER_[A-Z_]+[A-Z]")
OTHERS = {"--ntasks", "--nodelist", "--signal", "--dependency"}
"""Flags of other programs that pages name apart from a command line."""

NAMED = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in READ_BY_PEOPLE]


@cache
def contexts() -> dict[str, click.Context]:
    return {str(context.info_name): context for context in command_contexts()}


@cache
def flags() -> frozenset[str]:
    commands = [context.command for context in contexts().values()]
    parameters = [parameter for command in commands for parameter in command.params]
    every = {name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)}
    return frozenset({name for name in every if name.startswith("--")} | {"--help", "--version"})


@pytest.mark.parametrize("page", NAMED)
def test_every_call_on_a_page_is_one_that_the_program_takes(page):
    for line in [*shell_lines(page), *inline_code(page)]:
        for words in calls(line):
            check_call(words)


def check_call(words: list[str]) -> None:
    name, *arguments = words
    if name.startswith("-"):
        assert name in {"--help", "--version"}
        return
    assert name in COMMANDS, f"batchrunner {name}"
    parent = contexts()[name].parent
    assert parent is not None
    if {"--help", "..."} & set(arguments):
        return
    try:
        contexts()[name].command.make_context(name, arguments, parent=parent)
    except click.MissingParameter:
        assert arguments == [], words  # a command that is only named


@pytest.mark.parametrize("page", NAMED)
def test_every_flag_and_variable_on_a_page_exists(page):
    for code in inline_code(page):
        if code.startswith(("-", "batchrunner", "run ", "results ", "verify ", "resolve ")):
            assert set(FLAG.findall(code)) <= flags() | OTHERS, code
        if code.startswith("--retry "):
            assert code.split()[1] in {*RETRY_STATES, *ErrorCode}, code
    assert set(VARIABLE.findall(page.read_text("utf-8"))) <= variables()


@cache
def variables() -> frozenset[str]:
    named = (parameter.envvar for context in contexts().values() for parameter in context.command.params)
    return frozenset(
        variable for one in named for variable in ([one] if isinstance(one, str) else list(one or ()))
    )


def test_every_flag_that_the_program_itself_names_exists():
    """In hints, errors and docstrings: a hint that names a flag of yesterday leads nowhere."""
    for source in sorted((ROOT / "batchrunner").rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert set(FLAG.findall(node.value)) <= flags(), f"{source.name}: {node.value}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_flag_says_what_it_is_for(name):
    command = contexts()[name].command

    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts[0]}"


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "simulate"])
def test_every_flag_has_its_variable(name):
    """simulate's have a prefix of their own, and its --fault, whose values have blanks in them, has none."""
    for option in contexts()[name].command.params:
        if isinstance(option, click.Option):
            named = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
            assert variable(option) in named, f"{name} {option.opts[0]}"


def test_a_call_ends_where_the_shell_says():
    [words] = calls("batchrunner results film --state failed --json | jq -r '.id' # ids")

    assert words == ["results", "film", "--state", "failed", "--json"]


@pytest.mark.parametrize(
    "bad", ["run jobs.csv -o film --concurency 3", "rum jobs.csv", "resolve film --all=3"]
)
def test_a_call_with_a_typo_would_be_found(bad):
    with pytest.raises((click.UsageError, AssertionError)):
        check_call(bad.split())


def test_pages_are_found():
    assert {page.name for page in READ_BY_PEOPLE} >= {
        "README.md",
        "tutorial.md",
        "promises.md",
        "commands.md",
    }
    assert sum(1 for page in READ_BY_PEOPLE for line in shell_lines(page) for _ in calls(line)) > 40
    assert isinstance(next(blocks(DOCS / "tutorial.md")), Block)
    assert all(typed(block) for block in blocks(DOCS / "tutorial.md") if block.language == "console")
