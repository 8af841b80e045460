"""The description of the interface (OpenAPI), where FastAPI alone would tell less than is so."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from .web import PROBLEM_JSON

Json = dict[str, Any]
_JSON = "application/json"


def describe(app: FastAPI) -> None:
    """Have the description say in which type problems come, and give an example of every JSON body."""
    plain = app.openapi

    def openapi() -> Json:
        if app.openapi_schema is None:
            made = plain()
            for operation in _operations(made):
                _problems_in_their_type(operation)
                _with_example(operation, made["components"]["schemas"])
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(described: Json) -> Iterator[Json]:
    for methods in described["paths"].values():
        yield from methods.values()


def _problems_in_their_type(operation: Json) -> None:
    """FastAPI puts the model of a response under `application/json`; problems are never sent as that."""
    for response in operation["responses"].values():
        content = response.get("content", {})
        if PROBLEM_JSON in content and _JSON in content:
            content[PROBLEM_JSON] |= content.pop(_JSON)


def _with_example(operation: Json, models: Mapping[str, Json]) -> None:
    told = operation.get("requestBody", {}).get("content", {}).get(_JSON)
    if told is not None and "example" not in told and "examples" not in told:
        told["example"] = _example(told["schema"], models)


def _example(schema: Json, models: Mapping[str, Json]) -> Any:
    """An example put together from those of the fields; a field without one is left out, unless it is required."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(models[schema["$ref"].rpartition("/")[2]], models)
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return _example(schema[several][0], models)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if schema.get("type") == "array":
        return [_example(schema["items"], models)]
    required = schema.get("required", [])
    fields = schema.get("properties", {}).items()
    return {name: _example(of, models) for name, of in fields if "examples" in of or name in required}
