"""The JSON Schema of a region's YAML, for editors: what the models take, as an author may write it.

An editor types a bare `140122` as a number and leaves `12:00` as text; the models take text and type it themselves.
"""

from typing import Any

from pydantic import BaseModel

from .checklists import Checklist
from .content import ContentFile
from .forms.spec import Form

FILES: dict[str, type[BaseModel]] = {"content": ContentFile, "form": Form, "checklist": Checklist}
"""The sorts of file that a plugin has, by the name of their schema."""
_TEXT = {"type": ["string", "number", "boolean"]}
_TIME = {"type": "string", "pattern": r"^\d{1,2}:\d{2}(:\d{2})?$"}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def yaml_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one sort of file: content, form or checklist."""
    schema = _widened(FILES[name].model_json_schema(by_alias=True))
    for part in (schema, *schema.get("$defs", {}).values()):
        part.get("properties", {}).pop("plugin", None)  # given by `read_content`, never written
        if every := part.get("properties", {}).get("every"):
            days = "|".join(every.pop("enum"))
            every["pattern"] = rf"^({days})( \d{{1,2}}:\d{{2}})?$"
    return {"$schema": _DIALECT, **schema}


def _widened(schema: Any) -> Any:
    """Let text be written without quotes, and a list of one without brackets."""
    if isinstance(schema, list):
        return [_widened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "time":
        return {**{k: v for k, v in schema.items() if k not in ("type", "format")}, **_TIME}
    if schema.get("type") == "string" and not schema.keys() & {"enum", "const", "format", "pattern"}:
        return {**schema, **_TEXT}
    if schema.get("type") == "array" and _takes_one(schema.get("items", {})):
        kept = {k: v for k, v in schema.items() if k not in ("type", "items")}
        items = {"anyOf": [_widened(schema["items"]), _TEXT]}
        return {**kept, "anyOf": [_TEXT, {"type": "array", "items": items}]}
    return {key: _widened(part) for key, part in schema.items()}


def _takes_one(items: dict[str, Any]) -> bool:
    return items.get("type") == "string" or str(items.get("$ref", "")).endswith("/SentenceText")
