"""Which models does the simulated service know, and what does its catalogue say about them?

The bundled input schemas (package ``batchrunner.models``) and those of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable

from .._types import Inputs, Json
from .film_order import duration_s, makes_images
from .settings import SimulatorSettings
from .wire import Answer, Request, error_answer, json_answer


class Catalogue:
    """The models of one simulated service."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self.schemas: Mapping[str, Json] = {**dict(_bundled()), **settings.models}

    def __contains__(self, model: str) -> bool:
        return model in self.schemas

    def price_usd(self, model: str, inputs: Inputs) -> float:
        """What one request costs."""
        if self._unit(model) != "second":
            return self._settings.price_usd * self._settings.outputs
        return round(self._settings.price_usd * (duration_s(inputs) or 5.0), 6)

    def entry(self, model: str, *, with_schema: bool) -> dict[str, Json]:
        """One model, as /v1/models words it."""
        schema = self.schemas[model]
        fields = schema if isinstance(schema, dict) else {}
        about: dict[str, Json] = {
            "model_id": model,
            "display_name": f"{model} (simulated)",
            "description": "Answered by batchrunner's simulator; nothing is generated.",
            "categories": [self.category(model)],
            "kind": "model",
            "inputs": fields.get("properties", {}),
            "required_inputs": fields.get("required", []),
            "base_price_usd": self._settings.price_usd,
            "price_unit": self._unit(model),
            "pricing_note": "simulated money",
            "model_url": f"https://www.runcomfy.com/models/{model}",
        }
        return {**about, "input_schema": schema} if with_schema else about

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
            if query.get("search", "") in model and query.get("category", "") in ("", self.category(model))
        ]
        with_schema = query.get("include_schema") == "true"
        shown: list[Json] = [self.entry(m, with_schema=with_schema) for m in found[offset : offset + limit]]
        return json_answer(200, {"models": shown, "total": len(found), "limit": limit, "offset": offset})

    def categories(self) -> Answer:
        """All categories in use."""
        return json_answer(200, {"categories": [*sorted({self.category(model) for model in self.schemas})]})

    def category(self, model: str) -> str:
        """The last part of the model's id, as the service mostly has it."""
        return model.rsplit("/", 1)[-1]

    def _unit(self, model: str) -> str:
        return "image" if makes_images(model) else "second"


def _bundled() -> Iterator[tuple[str, Json]]:
    yield from _walk(resources.files("batchrunner.models"), "")


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Json]]:
    for child in folder.iterdir():
        if child.is_dir():
            yield from _walk(child, f"{prefix}{child.name}/")
        elif child.name.endswith(".json"):
            yield prefix + child.name.removesuffix(".json"), json.loads(child.read_text("utf-8"))
