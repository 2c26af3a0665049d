"""What the JSON schemas of specs say against values: credentials, parameters, transformations, options, schedules.

Organizations' specs are of several drafts, and some of their parts are no JSON schema at all: those say nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from ..engine.problems import did_you_mean, path_text
from ..engine.values import contains_unknown

if TYPE_CHECKING:
    from jsonschema import ValidationError

Json = dict[str, Any]

LONGEST_RULE = 200
ALWAYS_TAKEN = {"host", "filters"}
"""What pages send and specs may lack: `host` (tutorial), `filters` (docs tutorials/api/filter.md). A spec that takes no
names but its own refuses them."""


def properties(schema: Any) -> dict[str, Json]:
    """The parameters that a schema knows."""
    found = schema.get("properties") if isinstance(schema, dict) else None
    parts = found if isinstance(found, dict) else {}
    return {name: part if isinstance(part, dict) else {} for name, part in parts.items()}


def schema_problems(value: Any, schema: Any, path: str, of: str, names: Mapping[str, str] | None = None) -> list[str]:
    """What a JSON schema says against a value, parts of which may be unknown. Values are left out: they may be secret.

    A name that the schema does not know is refused, at any depth, even if the schema would let it pass: it is a
    misspelt one. `names`: as the program spells what Adobe spells otherwise.
    """
    if not isinstance(value, dict) or not isinstance(schema, dict):
        return []
    names = names or {}
    problems = [*_unknown_names(value, schema, path, of, names, schema, ALWAYS_TAKEN)]
    reported = {problem.partition(":")[0] for problem in problems}
    for found in _errors(schema, value):
        error: Any = _nearest(found)
        if error.validator not in ("required", "additionalProperties") and (
            contains_unknown(error.instance) or contains_unknown(found.instance)
        ):
            continue
        steps = [*error.absolute_path]
        if error.validator == "required" and not isinstance(error.validator_value, list):
            steps.pop()  # draft 3 adds its own word
        place = path_text([path, *(names.get(str(step), step) for step in steps)])
        if error.validator == "required":
            missing = [name for name in required(error.schema) if name not in error.instance]
            problems += [f"{place}.{names.get(name, name)}: is required by {of}" for name in missing]
        elif error.validator == "additionalProperties":
            others = (_unknown_name(place, name, properties(error.schema), of) for name in _additional(error))
            problems += [text for text in others if text.partition(":")[0] not in reported]
        else:
            problems.append(f"{place}: {_rule_text(error, of)}")
    return [*dict.fromkeys(problems)]


def alternatives(values: list[Any], word: str = "or", quote: Any = repr) -> str:
    """'json', 'delimited' or 'parquet'"""
    texts = [quote(value) for value in values]
    return f" {word} ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


# ---- errors ----


def _errors(schema: Any, value: Any) -> "list[ValidationError]":
    """The errors by the schema's own draft. Of one that is not valid, those of its parts that are."""
    from jsonschema import Draft4Validator, Draft7Validator
    from jsonschema.validators import validator_for
    from referencing.exceptions import Unresolvable

    if not isinstance(schema, dict):
        return []
    old = any(isinstance(schema.get(rule), bool) for rule in ("exclusiveMinimum", "exclusiveMaximum"))
    draft = validator_for(schema, default=Draft4Validator if old else Draft7Validator)
    try:
        if _is_valid(draft, json.dumps(schema)):
            return list(draft(schema).iter_errors(value))
    except (Unresolvable, RecursionError):
        pass
    names = required(schema)
    found = _errors({"required": names}, value) if len(schema) > 1 and names else []
    for name, part in properties(schema).items():
        for error in _errors(part, value[name]) if isinstance(value, dict) and name in value else ():
            error.path.appendleft(name)
            found.append(error)
    return found


@cache
def _is_valid(draft: Any, schema: str) -> bool:
    """Whether a text holds a schema of that draft. To find out takes far longer than to check a value by it."""
    from jsonschema import SchemaError

    try:
        draft.check_schema(json.loads(schema))
    except SchemaError:
        return False
    return True


def _nearest(error: "ValidationError") -> "ValidationError":
    """Of several forms that a value may have, the one that it misses least; all, if each says only what it requires."""
    from jsonschema.exceptions import best_match

    return error if _required_by_each(error) else best_match([error]) or error


def _required_by_each(error: "ValidationError") -> list[list[str]]:
    """What each of the forms requires, if they say nothing else."""
    forms: Any = error.validator_value if error.validator in ("oneOf", "anyOf") else []
    named = [form["required"] for form in forms if isinstance(form, dict) and form.keys() == {"required"}]
    return named if len(named) == len(forms) else []


# ---- names ----


def required(schema: Json) -> list[str]:
    """The names of the list `required`, and the properties that say it of themselves, as those of draft 3 do."""
    listed = schema.get("required")
    own = [name for name, part in properties(schema).items() if part.get("required") is True]
    return own + (listed if isinstance(listed, list) else [])


def _additional(error: Any) -> Iterator[str]:
    """The names that a rule `additionalProperties: false` refuses."""
    patterns = error.schema.get("patternProperties") or {}
    for name in error.instance:
        if name not in properties(error.schema) and not any(re.search(pattern, name) for pattern in patterns):
            yield name


def _unknown_names(
    value: Json, schema: Json, path: str, of: str, names: Mapping[str, str], root: Json, taken: Iterable[str] = ()
) -> Iterator[str]:
    parts = [*parts_of(schema, root)]
    known = {name for part in parts for name in properties(part)}
    closed = known or any(part.get("additionalProperties") is False for part in parts)
    opened = any(
        part.get("additionalProperties") not in (None, False) or part.get("patternProperties") for part in parts
    )
    for name, item in value.items():
        if name in known:
            for part in parts:
                yield from _below(item, properties(part).get(name), f"{path}.{names.get(name, name)}", of, root)
        elif closed and not opened and name not in taken:
            yield _unknown_name(path, name, (names.get(each, each) for each in known), of)


def _unknown_name(path: str, name: str, known: Iterable[str], of: str) -> str:
    takes = sorted(known)
    hint, names = did_you_mean(name, takes), ", ".join(takes) or "none"
    return f"{path}.{name}: is not a parameter of {of}{hint}; it takes {names}"


def _below(value: Any, schema: Any, path: str, of: str, root: Json) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    if isinstance(value, dict):
        yield from _unknown_names(value, schema, path, of, {}, root)
    elif isinstance(value, list):
        rules = [part.get("items") for part in parts_of(schema, root)]
        for index, item in enumerate(value):
            for items in rules:
                rule = items if not isinstance(items, list) else items[index] if index < len(items) else None
                yield from _below(item, rule, f"{path}[{index}]", of, root)


def parts_of(schema: Any, root: Json, seen: tuple[str, ...] = ()) -> Iterator[Json]:
    """The schema and those whose properties a value of it may have, too."""
    if not isinstance(schema, dict):
        return
    yield schema
    others = [schema.get(rule) for rule in ("then", "else")]
    for rule in ("allOf", "anyOf", "oneOf"):
        others += each if isinstance(each := schema.get(rule), list) else []
    for rule in ("dependencies", "dependentSchemas"):
        others += each.values() if isinstance(each := schema.get(rule), dict) else []
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        seen = (*seen, reference)
        others.append(_referred(reference, root))
    for each in others:
        yield from parts_of(each, root, seen)


def _referred(reference: str, root: Any) -> Any:
    """What a JSON pointer into the same schema names; None for other references."""
    if not reference.startswith("#"):
        return None
    for step in reference[1:].split("/")[1:]:
        root = root.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(root, dict) else None
    return root


# ---- words ----

_WORDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "pattern": "text of the pattern {}",
    "minLength": "at least {} characters long",
    "maxLength": "at most {} characters long",
    "minItems": "a list of at least {} items",
    "maxItems": "a list of at most {} items",
    "uniqueItems": "a list without repetitions",
}
"""Rule → what a value must be."""


def _rule_text(error: "ValidationError", of: str) -> str:
    rule, value = str(error.validator), cast(Any, error.validator_value)
    if forms := _required_by_each(error):
        one = "exactly one of " if rule == "oneOf" else ""
        return f"must have {one}{alternatives([', '.join(each) for each in forms], quote=str)}"
    strict = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}.get(rule)
    if strict and isinstance(error.schema, dict) and error.schema.get(strict) is True:  # draft 4
        rule = strict
    match rule:
        case "type":
            return f"must be of type {alternatives(value if isinstance(value, list) else [value], quote=str)}"
        case "enum":
            return f"must be {alternatives(value)}"
        case "const":
            return f"must be {value!r}"
        case "minLength" | "minItems" if value == 1:
            return "must not be empty"
        case _ if rule in _WORDS:
            return f"must be {_WORDS[rule].format(value)}"
    return f"breaks the rule {rule} of {of}, which takes {json.dumps(value)[:LONGEST_RULE]}"
