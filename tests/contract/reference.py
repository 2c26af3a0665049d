"""Adobe's OpenAPI files (openapi/, Apache-2.0) and what a request or an answer has against them."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from jsonschema.protocols import Validator
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT4

Json = dict[str, Any]
FOLDER = Path(__file__).parent / "openapi"
BASES = {
    "flow-service": "/data/foundation/flowservice",
    "schema-registry": "/data/foundation/schemaregistry",
    "catalog": "/data/foundation/catalog",
    "data-prep": "/data/foundation/conversion",
    "sandbox": "/data/foundation",
}
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


@cache
def spec(name: str) -> Json:
    """A file as JSON has it: keys are strings, dates are texts."""
    found: Json = json.loads(json.dumps(yaml.safe_load((FOLDER / f"{name}.yaml").read_text()), default=str))
    return found


@cache
def _registry(name: str) -> Any:
    return Registry().with_resource(f"urn:{name}", DRAFT4.create_resource(spec(name)))


class Operation:
    """One operation. Swagger 2.0 (schema-registry) and OpenAPI 3.0 are read alike."""

    def __init__(self, file: str, method: str, path: str) -> None:
        self.file, self.method, self.path = file, method.upper(), path
        self.name = f"{self.method} {path}"
        self._at = ["paths", path, method]
        self._body = ["requestBody", "content", "application/json", "schema"]
        places = [*self._listed(["paths", path, "parameters"]), *self._listed([*self._at, "parameters"])]
        self.parameters = {(p["name"].lower(), p["in"]): at for at in places for p in [self._get(at)]}

    def _follow(self, at: list[str]) -> list[str]:
        """The place that a `$ref` at this place leads to."""
        found = self._get(at)
        while isinstance(found, dict) and "$ref" in found:
            at = found["$ref"].removeprefix("#/").split("/")
            found = self._get(at)
        return at

    def _get(self, at: list[str]) -> Any:
        found: Any = spec(self.file)
        for key in at:
            found = found[int(key)] if isinstance(found, list) else found.get(key, {})
        return found

    def _listed(self, at: list[str]) -> list[list[str]]:
        return [self._follow([*at, str(index)]) for index, _ in enumerate(self._get(at) or [])]

    def _validator(self, at: list[str]) -> Validator:
        pointer = "/".join(quote(key.replace("~", "~0").replace("/", "~1")) for key in at)
        schema = {"$ref": f"urn:{self.file}#/{pointer}"}
        found: Validator = OAS30Validator(schema, registry=_registry(self.file), format_checker=oas30_format_checker)
        return found

    def _problems(self, at: list[str], value: Any, place: str) -> set[str]:
        if not self._get(at):
            return set()
        found = set()
        for error in self._validator(at).iter_errors(value):
            steps = "".join("[]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
            rule = error.message if error.validator == "required" else json.dumps(error.validator_value)[:120]
            found.add(f"{place}{steps}: {error.validator} {rule}")
        return found

    def request_problems(self, query: Json, headers: Json, body: Any) -> set[str]:
        given = {"query": query, "header": headers}
        sent = {(name.lower(), place): value for place, values in given.items() for name, value in values.items()}
        found = {f"query {name}: not described" for name in query if (name.lower(), "query") not in self.parameters}
        for (name, place), at in self.parameters.items():
            value, known = sent.get((name, place)), self._get(at)
            if place in given and known.get("required") and value is None:
                found.add(f"{place} {name}: required")
            if place == "query" and value is not None:
                schema_at = [*at, "schema"] if "schema" in known else at
                found |= self._problems(schema_at, _typed(value, self._get(schema_at)), f"query {name}")
        in_body = [at for (_, place), at in self.parameters.items() if place == "body"]
        at = [*in_body[0], "schema"] if in_body else [*self._follow([*self._at, "requestBody"]), *self._body[1:]]
        return found | (set() if body is None else self._problems(at, body, "request"))

    def answer_problems(self, status: int, content_type: str, text: str) -> set[str]:
        known = self._get([*self._at, "responses"])
        at = self._follow([*self._at, "responses", str(status)])
        if str(status) not in known or not 200 <= status < 300:
            return {f"status {status}"}
        described, kind = self._get(at), content_type.split(";")[0]
        if status == 204 or ("content" not in described and "schema" not in described):
            return {"answer: a body where none is described"} if text else set()
        kinds = described.get("content") or dict.fromkeys(self._get([*self._at, "produces"]) or ["application/json"])
        if kind not in kinds and "*/*" not in kinds:
            return {f"content type {kind or 'none'}"}
        at = [*at, "content", kind if kind in kinds else "*/*", "schema"] if "content" in described else [*at, "schema"]
        return self._problems(at, json.loads(text), "answer")


def _typed(value: Any, schema: Json) -> Any:
    """A query's text as the type that its schema wants."""
    if schema.get("type") == "array":
        return [value]
    return json.loads(value) if schema.get("type") in ("integer", "boolean", "number") else value


def operations() -> list[Operation]:
    return [
        Operation(file, method, path)
        for file in BASES
        for path, described in spec(file)["paths"].items()
        for method in described
        if method in _METHODS
    ]
