"""What is wrong with one row's inputs, in words its author can act on?

Turns jsonschema's errors into findings: one a field, each naming what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from msgspec import Struct

from .._types import Inputs, Json
from .formats import BadAddress
from .lenient import Schema, kinds
from .taking import TYPE_NAMES, takes
from .texts import MAX_DIGITS, from_text
from .wording import counted, did_you_mean, listed, nearest, show

if TYPE_CHECKING:  # whoever has an error to explain has imported it; nobody else should wait for it
    from jsonschema.exceptions import ValidationError

Path: TypeAlias = "tuple[str | int, ...]"
Words: TypeAlias = "tuple[str, str | None]"


class Finding(Struct, frozen=True, kw_only=True):
    """One thing wrong with a row's inputs, and where in them."""

    path: Path
    message: str
    hint: str | None = None

    @property
    def field(self) -> str:
        """The path as people write it, such as ``images[1]``."""
        return field_of(self.path)


def field_of(path: Path) -> str:
    """Return *path* as people write it, such as ``images[1]``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def findings(errors: Iterable[ValidationError]) -> Iterator[Finding]:
    """Yield one finding for each place that *errors* name, a wrong type before anything else about it."""
    by_place: dict[Path, ValidationError] = {}
    for error in errors:
        for path in _places(error):
            known = by_place.get(path)
            if known is None or (error.validator == "type" and known.validator != "type"):
                by_place[path] = error
    for path, error in by_place.items():
        message, hint = _missing(path[-1], error) if error.validator == "required" else _words(error)
        yield Finding(path=path, message=message, hint=hint)


def _places(error: ValidationError) -> list[Path]:
    path = tuple(error.absolute_path)
    if error.validator != "required":
        return [path]
    names, inputs = cast("list[str]", error.validator_value), cast("Inputs", error.instance)
    return [(*path, name) for name in names if name not in inputs]


def _words(error: ValidationError) -> Words:
    value, limit = cast("Json", error.instance), cast("Json", error.validator_value)
    schema = error.schema if isinstance(error.schema, dict) else {}
    if isinstance(error.cause, BadAddress):
        return f"{show(value)}: {error.cause}", error.cause.hint
    if error.validator in {"anyOf", "oneOf"} and error.context:
        from jsonschema.exceptions import best_match

        nearest_branch = best_match(inner for inner in error.context if _fits_type(inner))
        return _words(nearest_branch) if nearest_branch else _wrong_type(value, limit, schema)
    say = WORDS.get(str(error.validator))
    if say is None:
        return f"{show(value)} does not fit the model's rule {error.validator!r}", None
    return say(value, limit, schema)


def _fits_type(inner: ValidationError) -> bool:
    """Return whether a branch of an anyOf took the value's type, and has something else against it."""
    return inner.validator != "type" or len(inner.relative_path) > 0


def _wrong_type(value: Json, _limit: Json, schema: Schema) -> Words:
    wanted = kinds(schema)
    # absent values never come here, so that "or empty" would only puzzle
    names = " or ".join(TYPE_NAMES[kind] for kind in TYPE_NAMES if kind in (wanted - {"null"} or wanted))
    allowed = f" ({_allowed(schema)})" if _allowed(schema) else ""
    return f"{show(value)} is not {names}{allowed}", _type_hint(value, wanted, schema)


def _type_hint(value: Json, wanted: frozenset[str], schema: Schema) -> str | None:
    if isinstance(value, str):
        return _text_hint(value, wanted, schema)
    if "string" in wanted and isinstance(value, bool | int | float):
        return f'write it in quotes: "{show(value)}"'
    return None


def _text_hint(value: str, wanted: frozenset[str], schema: Schema) -> str | None:
    if not isinstance(from_text(value, schema), str):
        return "write it without quotes"
    if "array" in wanted:
        return f"write a list: [{show(value)}]"
    if not isinstance(from_text(value.strip(), schema), str):
        return "remove the blanks around it"
    is_digits = value.isascii() and value.removeprefix("-").isdigit()
    if is_digits and len(value) > MAX_DIGITS:
        return f"{len(value):,} digits are beyond all bounds"
    return "write it without the leading zeros" if is_digits else None


def _allowed(schema: Schema) -> str:
    """Return what *schema* allows besides the type: ``2 to 12``, ``at least 0``, or nothing."""
    values, low, high = schema.get("enum"), schema.get("minimum"), schema.get("maximum")
    if isinstance(values, list):
        return listed(values)
    if low is not None and high is not None:
        return f"{show(low)} to {show(high)}"
    if low is not None:
        return f"at least {show(low)}"
    return f"at most {show(high)}" if high is not None else ""


def _not_listed(value: Json, values: Json, _schema: Schema) -> Words:
    values = values if isinstance(values, list) else [values]
    names = [name for name in values if isinstance(name, str)]
    close = nearest(value, names, cutoff=0.75) if isinstance(value, str) else None
    return f"{show(value)} is not one of {listed(values)}", f'did you mean "{close}"?' if close else None


def _outside(value: Json, _limit: Json, schema: Schema) -> Words:
    return f"{show(value)} is outside what is allowed ({_allowed(schema)})", None


def _too_long(value: Json, limit: Json, _schema: Schema) -> Words:
    length, most = _size(value), _number(limit)
    return f"{counted(length, 'character')}, at most {most:,} allowed", f"shorten it by {length - most:,}"


def _too_short(value: Json, limit: Json, _schema: Schema) -> Words:
    return f"{counted(_size(value), 'character')}, at least {_number(limit):,} needed", None


def _too_many(value: Json, limit: Json, _schema: Schema) -> Words:
    return f"{counted(_size(value), 'item')}, at most {_number(limit):,} allowed", None


def _too_few(value: Json, limit: Json, _schema: Schema) -> Words:
    return f"{counted(_size(value), 'item')}, at least {_number(limit):,} needed", None


def _missing(name: str | int, error: ValidationError) -> Words:
    properties = error.schema.get("properties") if isinstance(error.schema, dict) else None
    return missing(properties.get(name) if isinstance(properties, dict) else None)


def missing(part: Json) -> Words:
    """Say that an input is missing, and what it takes by its *part* of the schema, where that has one."""
    wanted = f": {takes(part)}" if isinstance(part, dict) else ""
    return f"missing, and the model needs it{wanted}", None


def _unknown(value: Json, _allowed_more: Json, schema: Schema) -> Words:
    properties = schema.get("properties")
    known = list(properties) if isinstance(properties, dict) else []
    names = [name for name in value if name not in known] if isinstance(value, dict) else []
    return f"{listed(list(names))} is not known here", did_you_mean(names[0], known) if names else None


def _size(value: Json) -> int:
    return len(value) if isinstance(value, str | list | dict) else 0


def _number(limit: Json) -> int:
    return int(limit) if isinstance(limit, int | float) else 0


WORDS: Final[dict[str, Callable[[Json, Json, Schema], Words]]] = {
    "type": _wrong_type,
    "enum": _not_listed,
    "const": _not_listed,
    "minimum": _outside,
    "maximum": _outside,
    "maxLength": _too_long,
    "minLength": _too_short,
    "maxItems": _too_many,
    "minItems": _too_few,
    "required": lambda *_: ("missing, and the model needs it", None),
    "additionalProperties": _unknown,
    "exclusiveMinimum": lambda value, limit, _: (f"{show(value)} is not more than {show(limit)}", None),
    "exclusiveMaximum": lambda value, limit, _: (f"{show(value)} is not less than {show(limit)}", None),
    "multipleOf": lambda value, limit, _: (f"{show(value)} is not a multiple of {show(limit)}", None),
    "pattern": lambda value, limit, _: (f"{show(value)} does not match the pattern {show(limit)}", None),
    "uniqueItems": lambda value, _, __: (f"{show(value)} holds the same item twice", None),
}
