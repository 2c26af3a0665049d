"""JSON schemas: request bodies (bodies.json) and the schemas that specs carry, with one validator."""

import json
from functools import cache
from itertools import islice
from typing import Any

from jsonschema import Draft7Validator, SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing.exceptions import Unresolvable

from .errors import Json, Rule, load

_BODIES: dict[str, Json] = load(__package__, "bodies.json")


def parse_number(text: str) -> float:
    """A number with a fraction or exponent, as JSON Schema sees it: 5.0 is the integer 5."""
    return int(number) if (number := float(text)).is_integer() else number


@cache
def _validator(name: str) -> Draft7Validator:
    """`draft X` is X with no required field but its spec, and lists of any length."""
    schema: Json = {"$ref": f"#/definitions/{name}"}
    if name.startswith("draft "):
        kind = name.removeprefix("draft ")
        loose = {n: {k: v for k, v in each.items() if k != "minItems"} for n, each in field_schemas(kind).items()}
        required = [field for field in _BODIES[kind]["required"] if field.endswith("Spec")]
        schema = _BODIES[kind] | {"properties": loose, "required": required}
    return Draft7Validator(schema | {"definitions": _BODIES})


def field_schemas(name: str) -> dict[str, Json]:
    """The fields that a body may have, with their schemas."""
    found: dict[str, Json] = _BODIES[name]["properties"]
    return found


def fields(name: str) -> list[str]:
    """The fields that a client sets. What sources send beside them (`readOnly`) is taken and ignored."""
    return [field for field, schema in field_schemas(name).items() if not schema.get("readOnly")]


def accepted(name: str, value: Any, strict: bool) -> Any:
    """The body without what is taken and ignored; unless `strict`, that is also what no source shows."""
    if not strict:
        _drop_unknown(_validator(name), value)
    if not isinstance(value, dict):
        return value
    known = _BODIES[name.removeprefix("draft ")].get("properties", {})
    return {k: v for k, v in value.items() if not known.get(k, {}).get("readOnly")}


def _drop_unknown(validator: Draft7Validator, value: Any) -> None:
    for error in validator.iter_errors(value):
        if error.validator == "additionalProperties" and error.validator_value is False:
            for name in set(error.instance) - set(error.schema.get("properties", {})):
                error.instance.pop(name, None)


def required(name: str) -> list[str]:
    found: list[str] = _BODIES[name]["required"]
    return found


def check(name: str, value: Any, rule: Rule) -> None:
    if error := body_error(name, value):
        raise rule(error)


def check_schema(schema: Json, value: Any, root: str, rule: Rule) -> None:
    """By the schema's own draft. Specs of an organization may hold what is no JSON schema: that checks nothing."""
    draft = validator_for(schema, default=Draft7Validator)
    try:
        draft.check_schema(schema)
        error = describe_errors(draft(schema), value, root)
    except (SchemaError, Unresolvable):
        return
    if error:
        raise rule(error)


def body_error(name: str, value: Any, root: str = "body") -> str:
    return describe_errors(_validator(name), value, root)


def describe_errors(validator: Validator, value: Any, root: str) -> str:
    """What is wrong ("" = nothing), by path and rule and never by value: values may be secrets."""
    return "; ".join(_describe(error, root) for error in islice(validator.iter_errors(value), 5))


def _describe(error: Any, root: str) -> str:
    place = ".".join([root, *map(str, error.absolute_path)]).removeprefix("body.")
    if error.validator in ("required", "additionalProperties"):
        return f"{place}: {error.message}"  # names of keys only
    if error.validator == "not":
        return f"{place}: {' and '.join(error.schema['not']['required'])} must be absent here"
    return f"{place}: must satisfy {error.validator} {json.dumps(error.validator_value)}"
