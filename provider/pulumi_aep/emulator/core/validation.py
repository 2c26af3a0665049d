"""JSON schemas: request bodies (data/bodies.json) and those that the services' own specs carry, by one validator."""

import json
from functools import cache
from itertools import islice
from typing import Any

from jsonschema import Draft7Validator

from .errors import Json, load

_BODIES: dict[str, Json] = load(__package__, "bodies.json")


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator(_definition(name) | {"definitions": _BODIES})


def _definition(name: str) -> Json:
    """`draft X` is X with nothing required but its spec."""
    kind = name.removeprefix("draft ")
    if kind == name:
        return {"$ref": f"#/definitions/{name}"}
    loose = {field: {k: v for k, v in schema.items() if k != "minItems"} for field, schema in _fields(kind).items()}
    return _BODIES[kind] | {
        "properties": loose,
        "required": [n for n in _BODIES[kind]["required"] if n.endswith("Spec")],
    }


def fields(name: str) -> list[str]:
    """The fields that a body may have."""
    return list(_fields(name))


def _fields(name: str) -> dict[str, Json]:
    found: dict[str, Json] = _BODIES[name]["properties"]
    return found


def body_error(name: str, value: Any) -> str:
    return _problems(_validator(name), value, "body")


def problem(schema: Json, value: Any, root: str) -> str:
    return _problems(Draft7Validator(schema), value, root)


def _problems(validator: Draft7Validator, value: Any, root: str) -> str:
    """What is wrong ("" = nothing), by path and rule and never by value: values may be secrets."""
    return "; ".join(_text(error, root) for error in islice(validator.iter_errors(value), 5))


def _text(error: Any, root: str) -> str:
    place = ".".join([root, *map(str, error.absolute_path)]).removeprefix("body.")
    if error.validator in ("required", "additionalProperties"):
        return f"{place}: {error.message}"  # names of keys only
    if error.validator == "not":
        return f"{place}: {' and '.join(error.schema['not']['required'])} must be absent here"
    return f"{place}: must satisfy {error.validator} {json.dumps(error.validator_value)}"
