"""The resources of `resources.json` beside it, in its order.

A text `${key.output}` is an output of the resource with that key, `${config.name}` a value of the stack's config.
"""

import json
import re
from functools import reduce
from pathlib import Path
from typing import Any

import pulumi

import pulumi_aep as aep

config = pulumi.Config()
made: dict[str, Any] = {}


def resolve(value: Any) -> Any:
    if isinstance(value, str) and (match := re.fullmatch(r"\$\{(\w+)\.([\w.]+)\}", value)):
        key, path = match.groups()
        if key == "config":
            return config.require_secret(path) if path == "password" else config.require(path)
        return reduce(getattr, path.split("."), made[key])
    if isinstance(value, dict):
        return {key: resolve(item) for key, item in value.items()}
    return [resolve(item) for item in value] if isinstance(value, list) else value


def options(
    aliases: list[dict[str, str]] | None = None, timeouts: dict[str, str] | None = None, below: str | None = None
) -> pulumi.ResourceOptions:
    """Of an alias the parent is the stack, unless it says otherwise; `below` names the component that is the parent."""
    if below and below not in made:
        made[below] = pulumi.ComponentResource("shop:index:Shop", below)
    return pulumi.ResourceOptions(
        aliases=[pulumi.Alias(**{"parent": pulumi.ROOT_STACK_RESOURCE, **alias}) for alias in aliases or []],
        custom_timeouts=pulumi.CustomTimeouts(**timeouts) if timeouts else None,
        parent=made[below] if below else None,
    )


for item in json.loads(Path(__file__).with_name("resources.json").read_text()):
    kind = getattr(aep, item["kind"])
    if "get" in item:
        made[item["key"]] = kind.get(item["name"], resolve(item["get"]))
    else:
        arguments, given = resolve(item["arguments"]), options(**item.get("options", {}))
        made[item["key"]] = kind(item["name"], **arguments, opts=given)
