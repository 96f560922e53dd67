"""The command ``models``: what the service's catalogue offers, asked for or as it was remembered."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import click

from .._types import Json
from ..durations import format_duration
from ..errors import Exit
from ..lookup import CatalogueSilent, Lookup
from ..models import InputSchema, bundled_models
from ..models.describe import describe
from ..models.schemas import Missing, bundled_document
from ..models.wording import bare, counted
from ..names import printable
from .connection import connection_options, named_service
from .options import json_option, option, together
from .words import say

refresh_option = option("--refresh", is_flag=True, help="Ask again also for what was read today.")
asking_options = together(refresh_option, connection_options)
model_argument = click.argument("model", metavar="MODEL")


@click.group()
def models() -> None:
    """Look into the service's catalogue; answers are remembered, so that it works without a network too."""


@models.command("list")
@click.argument("search", required=False, default="")
@option("--category", help="Only models of this category, such as text-to-video.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="So many of them.")
@click.option(
    "--offset", type=click.IntRange(0), default=0, show_default=True, help="Leave out so many first."
)
@asking_options
@json_option
def list_models(
    search: str, category: str | None, limit: int, offset: int, as_json: bool, **flags: Any
) -> int:
    """List models; SEARCH is a search for words in their ids, names and descriptions."""
    kept = _lookup(flags).everything()
    entries = kept.document.get("models")
    every = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    found = [entry for entry in every if _fits(entry, search, category)]
    page: list[Json] = list(found[offset : offset + limit])
    if as_json:
        age_s = round(kept.age_s(time.time()), 1)
        answer: dict[str, Json] = {"models": page, "total": len(found), "limit": limit, "offset": offset}
        click.echo(json.dumps({**answer, "age_s": age_s}))
        return int(Exit.OK)
    for entry in found[offset : offset + limit]:
        price = f"{_price(entry):<24}"
        click.echo(printable(f"{entry.get('model_id')!s:<60} {price} {_categories(entry)}".rstrip()))
    if not found:
        say(f"none of {counted(len(every), 'model')} fits")
    elif offset + limit < len(found):
        say(f"… {len(found) - offset - limit:,} more: --offset {offset + limit}")
    return int(Exit.OK)


@models.command("show")
@model_argument
@asking_options
@json_option
def show_model(model: str, as_json: bool, **flags: Any) -> int:
    """Say what MODEL costs and what each of its inputs takes."""
    kept = _lookup(flags).entry(model)
    entry = kept.document
    if as_json:
        click.echo(json.dumps(entry))
        return int(Exit.OK)
    click.echo(printable(f"{model}   {entry.get('display_name') or ''}".rstrip()))
    if entry.get("description"):
        click.echo(printable(f"  {' '.join(str(entry['description']).split())}", 400))
    click.echo(printable(f"  price: {_price(entry) or 'the catalogue names none'} {_note(entry)}".rstrip()))
    click.echo(f"  as the catalogue had it {format_duration(kept.age_s(time.time()))} ago")
    if entry.get("input_schema") is not None:
        click.echo("\n".join(input_lines(InputSchema.parse(model, entry["input_schema"]))))
    return int(Exit.OK)


@models.command("schema")
@model_argument
@asking_options
def print_schema(model: str, **flags: Any) -> int:
    """Print MODEL's input schema as the catalogue has it, such as --schema takes it."""
    schema = _lookup(flags).schema(model)
    if isinstance(schema, Missing):
        if model not in bundled_models():
            raise CatalogueSilent(schema.why)
        say(f"note: the bundled schema; {printable(schema.why)}")
        schema = bundled_document(model)
    click.echo(json.dumps(schema, indent=2, ensure_ascii=True))
    return int(Exit.OK)


def input_lines(schema: InputSchema) -> list[str]:
    """Return each input of a model on a line."""
    lines = []
    for one in describe(schema):
        default = f"; default {bare(one.default)}" if one.default is not None else ""
        need = "required: " if one.is_required else ""
        lines.append(printable(f"  {one.name:<24} {need}{one.takes}{default}", 400))
    return lines


def _lookup(flags: Mapping[str, Any]) -> Lookup:
    service = named_service(None, flags, token_needed=False)
    return Lookup(
        service=service, refresh=flags["refresh"], remark=lambda words: say(f"note: {printable(words)}")
    )


def _fits(entry: Mapping[str, Json], search: str, category: str | None) -> bool:
    text = " ".join(
        str(entry.get(key) or "") for key in ("model_id", "display_name", "description")
    ).casefold()
    categories = entry.get("categories")
    listed = categories if isinstance(categories, list) else []
    return all(word in text for word in search.casefold().split()) and category in (None, *listed)


def _price(entry: Mapping[str, Json]) -> str:
    usd, unit = entry.get("base_price_usd"), entry.get("price_unit")
    return "" if usd is None else f"{bare(usd)} USD" + (f" per {unit}" if unit else "")


def _note(entry: Mapping[str, Json]) -> str:
    note = entry.get("pricing_note")
    return f"({' '.join(note.split())})" if isinstance(note, str) and note.strip() else ""


def _categories(entry: Mapping[str, Json]) -> str:
    categories = entry.get("categories")
    return ", ".join(map(str, categories)) if isinstance(categories, list) else ""
