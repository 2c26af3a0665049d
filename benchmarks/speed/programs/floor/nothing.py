"""Dynamic resources that do nothing and return what the measured resources returned, read from a file."""

import json
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

KIND = "floor_kind"
"""Input that names the template's resource (about 30 bytes that the measured state does not have)."""


@cache
def template() -> dict[str, Any]:
    """`{kind: {"inputs", "outputs", "id", "parents"}}` of one dataflow."""
    found: dict[str, Any] = json.loads(Path(os.environ["FLOOR_TEMPLATE"]).read_text())
    return found


class Nothing(ResourceProvider):
    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        known = template()[props[KIND]]
        more = {key: value for key, value in known["outputs"].items() if key not in known["inputs"]}
        made = secrets.token_hex(len(known["id"]))[: len(known["id"])]
        return CreateResult(made, {**props, **more})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_news)
