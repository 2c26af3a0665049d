"""Catalog: batch requests, many in one call. They run in order; if a write fails, all are rolled back."""

import json
import re
from functools import partial
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.routing import compile_path

from ..core import gateway
from ..core.errors import Answer, Json, Problem, Service
from ..core.gateway import PATCH, ROUTES, Call, Route
from . import rules
from .datasets import route

_DOCS = "docs catalog/api/appendix.md"

_REFERENCE = re.compile(r"<<([^<>.]+)\.([^<>]+)>>")


@route("POST", "/", _DOCS)
def run_batch(call: Call) -> Answer:
    done: dict[str, Any] = {}
    answers: list[Json] = []
    for asked in call.body("sub-requests", rules.body):
        asked = json.loads(_REFERENCE.sub(partial(_resolve_reference, done), json.dumps(asked)))
        try:
            answer = _run_one(call, asked)
        except Problem as problem:
            if asked["method"].upper() != "GET":
                raise rules.sub_request_failed(f"{asked['id'][:64]}: {problem.detail}") from None
            answer = call.refusal(problem)
        answers.append({"id": asked["id"], "code": answer.status, "body": answer.body})
        done[asked["id"]] = answer.body
    return Answer(200, answers)


def _resolve_reference(done: dict[str, Any], match: re.Match[str]) -> str:
    """The value, escaped for JSON."""
    found, path = done.get(match[1]), match[2].split(".")
    if isinstance(found, list) and found and path == ["id"]:  # "@/dataSets/…"
        found, path = found[0].rsplit("/", 1)[-1], []
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, str | int | float):
        raise rules.sub_request_reference(match[0][:120])
    return json.dumps(str(found))[1:-1]


def _run_one(call: Call, asked: Json) -> Answer:
    resource, _, query = asked["resource"].partition("?")
    method, path = asked["method"].upper(), route.base + resource.rstrip("/")
    found, parameters = _find_route(method, path)
    headers = {**call.headers, **{name.lower(): value for name, value in asked.get("headers", {}).items()}}
    if isinstance(asked.get("body"), list):
        headers["content-type"] = PATCH
    raw = json.dumps(asked["body"]).encode() if "body" in asked else b""
    where = (call.base_url, call.store, call.sandbox, found.reads_at(call.store), call.request_id)
    return found.answer(Call(method, path, QueryParams(query), Headers(headers), raw, *where), *parameters)


def _find_route(method: str, path: str) -> tuple[Route, list[str]]:
    for each in ROUTES:
        if each.service is Service.CATALOG and each.method == method and each.path != f"{route.base}/":
            match = compile_path(each.path)[0].match(path)
            if match:
                return each, list(match.groups())
    raise gateway.rules.no_route(f"{method[:16]} {path.removeprefix(route.base)[:120]}")
