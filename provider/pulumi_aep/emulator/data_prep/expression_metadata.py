"""Data Prep: the metadata of the expression language. Functions and operators are in expression_metadata.json."""

import json
import re
from datetime import UTC, datetime

from ..core.errors import Answer, Json, load
from ..core.gateway import Call
from . import mapping_sets, rules
from .dates import EvaluationError, NotModelled, iso
from .expressions import compile_expression

_DOCS = "openapi data-prep; docs data-prep/api/functions.md"
_LANGUAGE = load(__package__, "expression_metadata.json")


@mapping_sets.route("POST", "/languages/el/validate", _DOCS)
def validate(call: Call) -> Answer:
    text = call.body("expression", rules.body)["expression"]
    error = mapping_sets.expression_error(text)
    status = call.assumed("data_prep.invalid_expression") if error else 200
    return Answer(status, {"validationStatus": "failed" if error else "succeeded", "error": error or "none"})


@mapping_sets.route("GET", "/languages/el/functions", _DOCS)
def list_functions(call: Call) -> Answer:
    return Answer(200, [_describe(*row) for row in _LANGUAGE["functions"]])


@mapping_sets.route("GET", "/languages/el/operators", _DOCS)
def list_operators(call: Call) -> Answer:
    names = ("operatorSymbol", "methodName", "numberOfOperands", "description", "example")
    return Answer(200, [dict(zip(names, row, strict=True)) for row in _LANGUAGE["operators"]])


def _describe(category: str, syntax: str, description: str, example: str) -> Json:
    returns, name, types = re.fullmatch(r"(\S+) (\w+)\((.*)\)", syntax).groups()  # type: ignore[union-attr]
    params = [
        {"name": f"{kind.rstrip('.').lower()}{n}", "dataType": kind, "position": n}
        for n, kind in enumerate(filter(None, types.split(", ")), 1)
    ]
    texts = {"category": category, "function": name, "description": description, "syntax": syntax}
    texts |= {"returns": description, "returnType": returns, "example": example, "result": _result(example)}
    return texts | {"params": params, "since": 1}


def _result(example: str) -> str:
    """What the example evaluates to ("" without an example)."""
    try:
        value = compile_expression(example)({}, datetime(2000, 1, 1, tzinfo=UTC)) if example else ""
    except (EvaluationError, NotModelled) as error:
        raise ValueError(f"expression_metadata.json: {example}") from error
    return json.dumps(iso(value) if isinstance(value, datetime) else value) if example else ""
