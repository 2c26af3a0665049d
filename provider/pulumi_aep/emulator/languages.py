"""Data Prep: the language of expressions. Its functions and operators stand in data/languages.json."""

import json
from datetime import UTC, datetime

from . import data_prep
from .dates import Failure, NotModelled, iso
from .expressions import compiled
from .gateway import Call
from .rules import Answer, Json, Service, load, note

_DOCS = "openapi data-prep; docs data-prep/api/functions.md"
_LANGUAGE = load("languages.json")
note(Service.DATA_PREP, "Validating an expression answers an object (docs; openapi: a boolean).", _DOCS)
note(Service.DATA_PREP, "A wrong expression answers 200, failed and why; sampleData and mappingSetId change nothing.")
note(Service.DATA_PREP, "The list of functions holds those that are modelled, their texts are the emulator's own.")
note(Service.DATA_PREP, "Names of the operators, but for + / ~ - !.")


@data_prep.route("POST", "/languages/el/validate", _DOCS)
def validate(call: Call) -> Answer:
    text = call.body("expression", data_prep.BODY)["expression"]
    problem = data_prep.expression_problem(text)
    return Answer(200, {"validationStatus": "failed" if problem else "succeeded", "error": problem or "none"})


@data_prep.route("GET", "/languages/el/functions", _DOCS)
def list_functions(call: Call) -> Answer:
    return Answer(200, [_described(*row) for row in _LANGUAGE["functions"]])


@data_prep.route("GET", "/languages/el/operators", _DOCS)
def list_operators(call: Call) -> Answer:
    names = ("operatorSymbol", "methodName", "numberOfOperands", "description", "example")
    return Answer(200, [dict(zip(names, row, strict=True)) for row in _LANGUAGE["operators"]])


def _described(category: str, syntax: str, description: str, example: str) -> Json:
    kind, _, call = syntax.partition(" ")
    name, _, rest = call.removesuffix(")").partition("(")
    types = [text for text in rest.split(", ") if text]
    params = [
        {"name": f"{kind.rstrip('.').lower()}{n}", "dataType": kind, "position": n} for n, kind in enumerate(types, 1)
    ]
    texts = {
        "category": category,
        "function": name,
        "description": description,
        "syntax": syntax,
        "returns": description,
    }
    return texts | {"returnType": kind, "example": example, "result": _result(example), "params": params, "since": 1}


def _result(example: str) -> str:
    """What the example gives here ("" where that changes)."""
    try:
        value = compiled(example)({}, datetime(2000, 1, 1, tzinfo=UTC)) if example else ""
    except (Failure, NotModelled) as error:
        raise ValueError(f"data/languages.json: {example}") from error
    return json.dumps(iso(value) if isinstance(value, datetime) else value) if example else ""
