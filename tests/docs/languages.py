"""docs/languages.md: the Python example of each kind's page in YAML and TypeScript. docs/kinds/README.md: its list.

`python tests/docs/languages.py` writes both. The examples run here with recorders in place of the packages.
"""

import json
import re
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import yaml
from pydantic.alias_generators import to_camel

import pulumi_aep as aep
from docs import pages
from kinds import DESCRIPTIONS
from pulumi_aep.components import COMPONENTS
from pulumi_aep.engine.arguments import fields_of
from pulumi_aep.engine.camel_case import outside
from pulumi_aep.lookups import FUNCTIONS
from pulumi_aep.resources import SERVED

PAGE = pages.ROOT / "docs" / "languages.md"
SHAPES = {each.kind.name: (f"aep:{each.kind.name}", each.kind.arguments.public) for each in SERVED}
SHAPES |= {each.make.__name__: (each.type, each.arguments) for each in COMPONENTS}
HEAD = """\
# YAML, TypeScript and import

The example of each kind's page in the other languages, through the plugin `pulumi-resource-aep` ([Which
door?](doors.md)). `pulumi package add` makes the SDK that TypeScript imports. Go, C#, Java and the plugin's Python SDK
have the same names, each in its own spelling.

`pulumi import` writes nothing to the service; the preview that follows shows one update, which adds the owner line. An
object of another stack is refused. [Where to find an id](kinds/README.md#adopting-existing-objects). Many objects at
once: `pulumi-aep export --all --as-import objects.json`, then `pulumi import --file objects.json --out program.yaml`.
Secrets are never imported: add them to the program. For what lacks them, Pulumi warns of inputs that "failed to
validate" and of a bug in the provider; it is none. Run `pulumi up` before `pulumi destroy`: until then the state does
not know what depends on what. Where two objects share a name, as a dataset and its schema often do, Pulumi may write
ids into the program: put references in their place.
"""


def dashed(kind: str) -> str:
    """BaseConnection → base-connection"""
    return re.sub("(?<!^)([A-Z])", r"-\1", kind).lower()


@dataclass(frozen=True)
class Ref:
    """An output of a resource, a look-up or the config."""

    of: Any
    path: str = ""

    def __getattr__(self, name: str) -> "Ref":
        return Ref(self.of, to_camel(f"{self.path}_{name}" if self.path else name))


@dataclass(frozen=True)
class LookUp:
    """A call of a look-up."""

    function: str
    arguments: dict[str, Any]


@dataclass
class Program:
    """What an example registers."""

    resources: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    lookups: dict[str, LookUp] = field(default_factory=dict)
    config: list[str] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)

    def register(self, kind: str, name: str, arguments: dict[str, Any]) -> Ref:
        arguments.pop("opts", None)
        if "mapping" in arguments and "mapping" not in fields_of(SHAPES[kind][1]):  # what Python writes shorter
            mapping = arguments.pop("mapping")
            params = {"mappingId": mapping.id, "mappingVersion": mapping.version}
            arguments["transformations"] = [{"name": "Mapping", "params": params}]
        key = name if name not in self.resources else f"{dashed(kind)}-{name}"
        self.resources[key] = (kind, arguments)
        return Ref(key)

    def look_up(self, function: str, arguments: dict[str, Any]) -> Ref:
        key = to_camel(function.removeprefix("get_"))
        self.lookups[key] = LookUp(to_camel(function), arguments)
        return Ref(self.lookups[key])

    def secret(self, key: str) -> Ref:
        self.config = [*dict.fromkeys([*self.config, key])]
        return Ref(None, key)


def recorded(example: str) -> Program:
    """The program of a Python example."""
    program = Program()
    calls: dict[str, Any] = {
        kind: (lambda name, kind=kind, **arguments: program.register(kind, name, arguments)) for kind in SHAPES
    }
    calls |= {name: _look_up(program, name) for name in FUNCTIONS}
    calls |= {name: getattr(aep, name) for name in ("ConnectionSpec", "FlowSpec", "XdmClass")}
    config = SimpleNamespace(require_secret=program.secret, require=program.secret)
    fake = SimpleNamespace(
        Config=lambda: config, export=program.exports.__setitem__, ResourceOptions=lambda **options: None
    )
    with patch.dict(sys.modules, {"pulumi": fake, "pulumi_aep": SimpleNamespace(**calls)}):
        exec(compile(example, "example", "exec"), {})
    return program


def _look_up(program: Program, function: str) -> Any:
    return lambda **arguments: program.look_up(function, arguments)


# ---- YAML ----


def _yaml(value: Any, program: Program) -> Any:
    if isinstance(value, Ref) and isinstance(value.of, LookUp):
        key = next(key for key, each in program.lookups.items() if each is value.of)
        return f"${{{key}.{value.path}}}"
    if isinstance(value, Ref):
        return f"${{{value.path}}}" if value.of is None else f"${{{value.of}.{value.path}}}"
    if isinstance(value, dict):
        return {key: _yaml(item, program) for key, item in value.items()}
    if isinstance(value, list):
        return [_yaml(item, program) for item in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def to_yaml(program: Program) -> str:
    content: dict[str, Any] = {}
    if program.config:
        content["config"] = {key: {"type": "string", "secret": True} for key in program.config}
    if program.lookups:
        content["variables"] = {
            key: {"fn::invoke": {"function": f"aep:{each.function}", "arguments": each.arguments}}
            for key, each in program.lookups.items()
        }
    content["resources"] = {
        key: {"type": SHAPES[kind][0], "properties": _yaml(outside(fields_of(SHAPES[kind][1]), arguments), program)}
        for key, (kind, arguments) in program.resources.items()
    }
    if program.exports:
        content["outputs"] = _yaml(program.exports, program)
    return yaml.safe_dump(content, sort_keys=False, width=110)


# ---- TypeScript ----


def _variable(key: str) -> str:
    return to_camel(key.replace("-", "_"))


def _typescript(value: Any, indent: str = "", room: int = 80) -> str:
    if isinstance(value, Ref):
        if isinstance(value.of, LookUp):
            return f"aep.{value.of.function}Output({_typescript(value.of.arguments)}).{value.path}"
        if value.of is None:
            return f'config.requireSecret("{value.path}")'
        return f"{_variable(value.of)}.{value.path}"
    if isinstance(value, dict):
        parts = [f"{key if key.isidentifier() else json.dumps(key)}: {{}}" for key in value]
        brackets, items = "{}", list(value.values())
    elif isinstance(value, list):
        parts, brackets, items = ["{}" for _ in value], "[]", value
    else:
        return json.dumps(value)
    plain = ", ".join(part.replace("{}", "%s") % _typescript(item) for part, item in zip(parts, items, strict=True))
    padded = f" {plain} " if brackets == "{}" and plain else plain
    if len(indent) + len(plain) < room and "\n" not in plain:
        return f"{brackets[0]}{padded}{brackets[1]}"
    deeper = indent + "    "
    lines = [
        deeper + part.replace("{}", "%s") % _typescript(item, deeper) for part, item in zip(parts, items, strict=True)
    ]
    return f"{brackets[0]}\n" + ",\n".join(lines) + f",\n{indent}{brackets[1]}"


def to_typescript(program: Program) -> str:
    lines = ['import * as aep from "@pulumi-aep/aep";']
    if program.config:
        lines = ['import * as pulumi from "@pulumi/pulumi";', *lines, "", "const config = new pulumi.Config();"]
    lines.append("")
    used = {each.of for each in _references([*program.resources.values(), program.exports])}
    for key, (kind, arguments) in program.resources.items():
        module = "components." if SHAPES[kind][0].startswith("aep:components:") else ""
        start = f"const {_variable(key)} = " if key in used else ""
        start += f'new aep.{module}{kind}("{key}", '
        written = _typescript(outside(fields_of(SHAPES[kind][1]), arguments), room=100 - len(start))
        lines.append(f"{start}{written});")
    lines += [f"export const {name} = {_typescript(value)};" for name, value in program.exports.items()]
    return "\n".join(lines) + "\n"


def _references(value: Any) -> list[Ref]:
    if isinstance(value, Ref):
        return [value] if isinstance(value.of, str) else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [each for item in items for each in _references(item)]


# ---- the page ----


def programs() -> dict[str, Program]:
    """Kind or component → its first example."""
    found = {}
    for name in SHAPES:
        page = pages.ROOT / "docs" / "kinds" / f"{dashed(name)}.md"
        found[name] = recorded(next(iter(pages.blocks(page, "python"))).text)
    return found


def text() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, program in programs().items():
        file = dashed(name)
        parts.append(f"## {name}\n\n[In Python](kinds/{file}.md#example)\n")
        if name in DESCRIPTIONS:
            parts.append(f"```\npulumi import aep:index:{name} NAME {DESCRIPTIONS[name].an_id}\n```\n")
        parts.append(f"```yaml\n{to_yaml(program)}```\n")
        parts.append(f"```typescript\n{to_typescript(program)}```\n")
    return "\n".join(parts)


INDEX = pages.KIND_PAGES / "README.md"


def index() -> str:
    """docs/kinds/README.md with a row for each kind: the first sentence of its page."""
    rows = "| Kind | What it is |\n|---|---|\n"
    for kind in (*(each.kind.name for each in SERVED), "Owner"):
        file = f"{dashed(kind)}.md"
        _, body = pages.prose(INDEX.with_name(file)).split("\n\n", 1)
        sentence = " ".join(re.split(r"\.\s", body)[0].split())
        rows += f"| [{kind}]({file}) | {sentence} |\n"
    return re.sub(r"\| Kind \|.*?\n\n", rows + "\n", INDEX.read_text(encoding="utf-8"), count=1, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
    INDEX.write_text(index(), encoding="utf-8")
