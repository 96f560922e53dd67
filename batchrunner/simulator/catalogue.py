"""Which models does the simulated service know, what does it say about them, and what do they cost?

The bundled input schemas (package ``batchrunner.models``), further made-up entries beside this file (films
and pictures, priced by the second, the image, the output, and not at all), and those of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .._types import Inputs, Json
from ..models.schemas import bundled_document, bundled_models
from .film_order import duration_s, makes_images, outputs_asked_for
from .settings import SimulatorSettings
from .wire import Answer, Request, error_answer, json_answer


class Catalogue:
    """The models of one simulated service."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._known = {str(entry["model_id"]): entry for entry in _further()}
        further = {model: entry["input_schema"] for model, entry in self._known.items()}
        self.schemas: Mapping[str, Json] = {
            **further,
            **{model: bundled_document(model) for model in bundled_models()},
            **settings.models,
        }

    def __contains__(self, model: str) -> bool:
        return model in self.schemas

    def price_usd(self, model: str, inputs: Inputs) -> float:
        """What one request costs: the price of one unit, as often as it has them."""
        charged = self._known.get(model, {}).get("charged_usd", self._base_price(model))
        assert isinstance(charged, int | float)
        return round(charged * self._units(model, inputs), 6)

    def _units(self, model: str, inputs: Inputs) -> float:
        if self._unit(model) == "second":
            return duration_s({**self._defaults(model), **inputs}) or 5.0
        return float(outputs_asked_for(model, inputs) or self._settings.outputs)

    def _base_price(self, model: str) -> Json:
        """The price in the catalogue, None where it names none."""
        return self._known.get(model, {}).get("base_price_usd", self._settings.price_usd)

    def _defaults(self, model: str) -> Inputs:
        properties = self._fields(model).get("properties")
        found = properties.items() if isinstance(properties, dict) else ()
        return {name: part["default"] for name, part in found if isinstance(part, dict) and "default" in part}

    def _fields(self, model: str) -> dict[str, Json]:
        schema = self.schemas[model]
        return schema if isinstance(schema, dict) else {}

    def entry(self, model: str, *, with_schema: bool) -> dict[str, Json]:
        """One model, as /v1/models words it."""
        known, fields = self._known.get(model, {}), self._fields(model)
        about: dict[str, Json] = {
            "model_id": model,
            "display_name": f"{model} (simulated)",
            "description": "Answered by batchrunner's simulator; nothing is generated.",
            "categories": [self.category(model)],
            "kind": "model",
            "inputs": fields.get("properties", {}),
            "required_inputs": fields.get("required", []),
            "base_price_usd": self._base_price(model),
            "price_unit": self._unit(model),
            "pricing_note": known.get("pricing_note", "simulated money"),
            "model_url": f"https://www.runcomfy.com/models/{model}",
        }
        return {**about, "input_schema": self.schemas[model]} if with_schema else about

    def page(self, request: Request) -> Answer:
        """The list of models that the query asks for."""
        query = request.query
        try:
            limit, offset = int(query.get("limit", "100")), int(query.get("offset", "0"))
        except ValueError:
            return error_answer(400, None, "limit and offset are whole numbers")
        found = [
            model
            for model in sorted(self.schemas)
            if query.get("search", "").lower() in model
            and query.get("category", "") in ("", self.category(model))
            and query.get("kind", "model") == "model"
        ]
        with_schema = query.get("include_schema") == "true"
        shown: list[Json] = [self.entry(m, with_schema=with_schema) for m in found[offset : offset + limit]]
        return json_answer(200, {"models": shown, "total": len(found), "limit": limit, "offset": offset})

    def categories(self) -> Answer:
        """All categories in use."""
        return json_answer(200, {"categories": [*sorted({self.category(model) for model in self.schemas})]})

    def category(self, model: str) -> str:
        """The last part of the model's id, as the service mostly has it, unless the entry says another."""
        named = self._known.get(model, {}).get("categories")
        if isinstance(named, list) and named:
            return str(named[0])
        return model.rsplit("/", 1)[-1]

    def _unit(self, model: str) -> Json:
        return self._known.get(model, {}).get("price_unit", "image" if makes_images(model) else "second")


def _further() -> list[dict[str, Json]]:
    text = Path(__file__).with_name("models.json").read_text("utf-8")
    entries: list[dict[str, Json]] = json.loads(text)
    return entries
