"""JSON Patch as these services take it: add, replace, remove, on the paths a service allows."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from .gateway import Body
from .rules import Json, Rule

Allowed = dict[str, str]  # regular expression of a path → the operations it takes


class Operation(Body):
    op: Annotated[str, BeforeValidator(lambda op: op.lower() if isinstance(op, str) else op)]
    path: str
    value: Any = None


_OPERATIONS = TypeAdapter(list[Operation])


def read(body: Any, lacking: Rule, unsupported: Rule) -> list[Operation]:
    """The operations of a body. The OpenAPI file of Flow Service models one object, the docs always send an array."""
    try:
        operations = _OPERATIONS.validate_python([body] if isinstance(body, dict) else body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise lacking(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None
    if not operations:
        raise lacking("the patch is empty")
    for operation in operations:
        if operation.op not in ("add", "replace", "remove"):
            raise unsupported(f"op {operation.op[:20]!r}: add, replace and remove are supported")
        if operation.op != "remove" and "value" not in operation.model_fields_set:
            raise lacking(f"{operation.op} {operation.path[:80]} has no value")
    return operations


def apply(target: Json, operations: list[Operation], invalid: Rule) -> Json:
    """`target` (a fresh copy already) with the operations applied."""
    for operation in operations:
        if not operation.path.startswith("/"):
            raise invalid(f"path {operation.path[:80]!r} must start with /")
        *parents, key = [part.replace("~1", "/").replace("~0", "~") for part in operation.path[1:].split("/")]
        node: Any = target
        for part in parents:
            node = _child(node, part, operation.path, invalid)
        if isinstance(node, list):
            _on_list(node, key, operation, invalid)
        elif isinstance(node, dict):
            if operation.op != "add" and key not in node:
                raise invalid(f"path {operation.path[:80]} does not exist")
            if operation.op == "remove":
                del node[key]
            else:
                node[key] = operation.value
        else:
            raise invalid(f"path {operation.path[:80]} does not exist")
    return target


def _child(node: Any, part: str, path: str, invalid: Rule) -> Any:
    if isinstance(node, dict) and part in node:
        return node[part]
    if isinstance(node, list) and re.fullmatch(r"\d{1,6}", part) and int(part) < len(node):
        return node[int(part)]
    raise invalid(f"path {path[:80]} does not exist")


def _on_list(node: list[Any], key: str, operation: Operation, invalid: Rule) -> None:
    if key == "-" and operation.op == "add":
        node.append(operation.value)
        return
    end = len(node) + (operation.op == "add")
    if not re.fullmatch(r"\d{1,6}", key) or int(key) >= end:
        raise invalid(f"path {operation.path[:80]} does not exist")
    if operation.op == "add":
        node.insert(int(key), operation.value)
    elif operation.op == "replace":
        node[int(key)] = operation.value
    else:
        del node[int(key)]


def refuse_paths(operations: list[Operation], allowed: Allowed, refuse: Rule, special: dict[str, Rule]) -> None:
    """Refuses every path or operation that is not in `allowed`; `special` names the rule for a path's beginning."""
    for operation in operations:
        for start, rule in special.items():
            if operation.path.startswith(start):
                raise rule(f"{operation.op} {operation.path[:80]}")
        verbs = next((verbs for path, verbs in allowed.items() if re.fullmatch(path, operation.path)), "")
        if operation.op not in verbs.split():
            raise refuse(f"{operation.op} {operation.path[:80]}: {verbs or 'no operation'} is documented here")
