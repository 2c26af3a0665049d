"""JSON Patch as these services take it: add, replace, remove, on the paths a service allows."""

import copy
import re
from typing import Any, NamedTuple

from .errors import Json, Rule
from .validation import check

Allowed = dict[str, str]  # regular expression of a path → the operations it takes


class Operation(NamedTuple):
    op: str
    path: str
    value: Any


def read(body: Any, allowed: Allowed, lacking: Rule, unsupported: Rule, refuse: Rule) -> list[Operation]:
    """The operations of a body. OpenAPI models one object and upper case, the docs an array and lower case."""
    body = [body] if isinstance(body, dict) else body
    check("patch", body, lacking)
    operations = [Operation(each["op"].lower(), each["path"], each.get("value")) for each in body]
    for (op, path, _), each in zip(operations, body, strict=True):
        if op not in ("add", "replace", "remove"):
            raise unsupported(f"op {op[:20]!r}: add, replace and remove are supported")
        if op != "remove" and "value" not in each:
            raise lacking(f"{op} {path[:80]} has no value")
        verbs = next((verbs for pattern, verbs in allowed.items() if re.fullmatch(pattern, path, re.DOTALL)), "")
        if op not in verbs.split():
            raise refuse(f"{op} {path[:80]}: {verbs or 'no operation'} is documented here")
    return operations


def apply(target: Json, operations: list[Operation], missing: Rule) -> Json:
    """A copy of `target` with the operations applied."""
    target = copy.deepcopy(target)
    for op, path, value in operations:
        *parents, key = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
        node: Any = target
        for part in parents:
            node = node[_key(node, part, path, missing)]
        at = len(node) if isinstance(node, list) and (op, key) == ("add", "-") else _key(node, key, path, missing, op)
        if op == "remove":
            del node[at]
        elif op == "add" and isinstance(node, list):
            node.insert(at, value)
        else:
            node[at] = value
    return target


def _key(node: Any, part: str, path: str, missing: Rule, op: str = "") -> Any:
    """The key or index that `part` means in `node`; what is added need not exist yet."""
    if isinstance(node, dict) and (part in node or op == "add"):
        return part
    if isinstance(node, list) and re.fullmatch("[0-9]{1,6}", part) and int(part) < len(node) + (op == "add"):
        return int(part)
    raise missing(f"path {path[:80]} does not exist")
