"""The tables of the pages say what the code says: arguments, outputs, settings, commands, messages."""

import ast
import dataclasses
import functools
import inspect
import re
import types
import typing
from pathlib import Path
from typing import Any, NotRequired, Required, get_args, get_origin

import pulumi
import pytest
import typer.main
from pydantic import BeforeValidator

import pulumi_aep as aep
from docs import pages
from kinds import DESCRIPTIONS
from pulumi_aep import config
from pulumi_aep.cli import app
from pulumi_aep.components.mixpanel_source import MixpanelSourceArgs
from pulumi_aep.components.source import DeltaColumn, Encryption, Part, SourceArgs
from pulumi_aep.engine.arguments import RESOURCE_NAME, CommonArgs, SpecRef, fields_of, hints_of
from pulumi_aep.engine.dynamic import Resource
from support.kinds import CLAIMS, DERIVED, HELPERS, Change, fields, kind_of, names, outputs, resource_class, sentences

EVERY_KIND = {"id", "owner", "sandbox", "org_id"}
PUBLIC = {name: getattr(aep, name) for name in vars(aep)["__all__"]}

for_every_kind = pytest.mark.parametrize("kind", [*names(), *HELPERS])

Rows = dict[str, dict[str, str]]


def page_of(kind: str) -> Path:
    """BaseConnection → docs/kinds/base-connection.md"""
    return pages.KIND_PAGES / (re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower() + ".md")


def type_names(hint: Any) -> set[str]:
    """The types that a user may write, by name: Input[list[Mapping]] | None → {"list[Mapping]"}"""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is SpecRef:
        return {"str", "SpecRef"}
    if any(isinstance(each, BeforeValidator) and each.json_schema_input_type == int | str for each in parts):
        return {"int", "str", "datetime"}  # a time
    if origin in (typing.Annotated, Required, NotRequired, pulumi.Output):
        return type_names(parts[0])
    if origin in (typing.Union, types.UnionType):
        return {name for part in parts if part is not types.NoneType for name in type_names(part)}
    if origin is typing.Literal:
        return {"str"}
    if origin is list:
        return {f"list[{_one(parts[0])}]"}
    if origin is dict:
        return {"dict"} if parts[1] is Any or "Any" in str(parts[1]) else {f"dict[{_one(parts[0])}, {_one(parts[1])}]"}
    return {hint.__name__}


def _one(hint: Any) -> str:
    (name,) = type_names(hint)
    return name


def assert_stated(shape: Any, rows: Rows, leave_out: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """The rows say of each field of a typed dict what the code says: type, default, sentence."""
    hints, stated = hints_of(shape), fields_of(shape)
    assert set(rows) == set(stated) - leave_out
    for name, row in rows.items():
        assert set(pages.spans(row["Type"])) == type_names(hints[name]), (shape, name)
        assert (row["Default"] == "required") == stated[name].required, (shape, name)
        if stated[name].default not in (None, RESOURCE_NAME):
            assert eval(row["Default"].strip("`"), PUBLIC) == stated[name].default, (shape, name)
        assert plain(row["Meaning"]) == sentences(shape)[name], (shape, name)


def plain(text: str) -> str:
    """The text without the addresses of its links."""
    return re.sub(r"\[(.*?)\]\(.*?\)", r"\1", text)


@for_every_kind
def test_arguments(kind: str) -> None:
    rows = pages.table(page_of(kind), "Argument")
    assert_stated(kind_of(kind).arguments.public, rows, CLAIMS)
    for change, word in {Change.UPDATE: "in place", Change.REPLACE: "replaced", Change.PROVIDER_ONLY: "option"}.items():
        marked = {name for name, row in rows.items() if re.match(rf"{word}\b", row["Change"])}
        assert marked == set(fields(kind, change)) - DERIVED


def test_claims() -> None:
    """How a resource meets what exists: the same for every kind, on one page."""
    rows = pages.table(pages.KIND_PAGES / "README.md", "Argument of every kind")
    assert_stated(CommonArgs, {name: row for name, row in rows.items() if name in fields_of(CommonArgs)})
    assert set(rows) == CLAIMS
    for kind in names():
        claims = set(fields(kind, Change.CREATE_ONLY)) - DERIVED
        assert claims == set(rows) - (set() if DESCRIPTIONS[kind].natural_key else {"allow_duplicate_name"})


def test_arguments_of_the_components() -> None:
    assert_stated(MixpanelSourceArgs, pages.table(page_of("MixpanelSource"), "Argument"))
    assert_stated(SourceArgs, pages.table(page_of("Source"), "Argument"))
    for nested in (DeltaColumn, Encryption, Part):
        assert_stated(nested, pages.table(page_of("Source"), f"Key of `{nested.__name__}`"))


def test_attributes_of_the_components() -> None:
    rows = pages.table(page_of("Source"), "Attribute")
    hints = aep.Source.__annotations__.items()
    parts = {name: type_names(hint) for name, hint in hints if name != "type_token"}
    assert {name: set(pages.spans(row["Type"])) - {"None"} for name, row in rows.items()} == parts


@for_every_kind
def test_outputs(kind: str) -> None:
    rows = pages.table(page_of(kind), "Output") if outputs(kind) else {}
    assert set(rows) == set(outputs(kind))
    for name, row in rows.items():
        assert set(pages.spans(row["Type"])) == type_names(resource_class(kind).__annotations__[name]), name
        assert f"{plain(row['Meaning'])}. ".startswith(sentences(resource_class(kind))[name]), name


def test_outputs_of_every_kind() -> None:
    rows = pages.table(pages.KIND_PAGES / "README.md", "Output")
    assert set(rows) == EVERY_KIND
    for name in EVERY_KIND - {"id"}:  # Pulumi's
        assert f"{plain(rows[name]['Meaning'])}." == sentences(Resource)[name], name


def test_keys_of_nested_arguments() -> None:
    shapes = {
        field.nested.__name__: field.nested
        for kind in names()
        for field in fields_of(kind_of(kind).arguments.public).values()
        if field.nested
    }
    documented = set()
    for page in map(page_of, names()):
        for table in pages.tables(pages.prose(page)):
            if match := re.fullmatch(r"Key of `(\w+)`", table.of):
                documented.add(match[1])
                assert_stated(shapes[match[1]], table.rows)
    assert documented == set(shapes)


# ---- settings and commands ----


def test_settings() -> None:
    rows = pages.table(pages.ROOT / "docs" / "configuration.md", "Key in stack config")
    assert {key: row["Environment variable"].strip("`") for key, row in rows.items()} == {
        f"aep:{key}": variable for key, variable in config.VARIABLES.items()
    }
    for key, row in rows.items():
        assert re.sub(r"\[(.*?)\]\(.*?\)", r"\1", row["Meaning"]) == config.MEANINGS[key.removeprefix("aep:")]
    for setting in dataclasses.fields(config.Settings):
        name = re.sub(r"_(\w)", lambda match: match[1].upper(), setting.name)
        default = rows[f"aep:{name}"]["Default"].strip("`")
        text = "required" if setting.default is dataclasses.MISSING else str(setting.default or "none")
        text = "false" if setting.default is False else text
        assert default == (text.lower() if isinstance(setting.default, bool) else text)


def commands() -> dict[str, Any]:
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_every_command_is_listed() -> None:
    listed = pages.table(pages.CLI_PAGES / "README.md", "Command")
    assert [re.sub(r"\[`(\w.*)`\].*", r"\1", name) for name in listed] == list(commands())


@pytest.mark.parametrize("name", commands())
def test_options_of_commands(name: str) -> None:
    rows = pages.table(pages.CLI_PAGES / f"{name}.md", "Option")
    documented = {option for row in rows.values() for option in pages.spans(row["Option"])}
    known = {option for part in commands()[name].params if part.param_type_name == "option" for option in part.opts}
    assert documented == known - {"--help"}


OF_OUTPUTS = {"explore", "get_flow_runs", "get_landing_zone"}
"""The look-ups that give outputs."""


def test_lookups() -> None:
    rows = next(iter(lookups("By")))
    assert set(rows) == {name for name in PUBLIC if name.startswith("get_")} - OF_OUTPUTS
    for name, row in rows.items():
        function = getattr(aep, name)
        assert pages.spans(row["By"]) == list(inspect.signature(function).parameters)
        result = typing.get_type_hints(function)["return"]
        assert pages.spans(row["Gives"]) == [field.name for field in dataclasses.fields(result)]


def test_lookups_of_outputs() -> None:
    rows = next(iter(lookups("Arguments")))
    assert set(rows) == OF_OUTPUTS
    for name, row in rows.items():
        function = getattr(aep, name)
        assert pages.spans(row["Arguments"]) == list(inspect.signature(function).parameters)
        (result,) = get_args(inspect.signature(function).return_annotation)
        keys = pages.table(pages.ROOT / "docs" / "lookups.md", f"Key of `{_innermost(result).__name__}`")
        documented = [key for cell in keys for key in re.findall(r"\w+", cell)]
        assert documented == list(_innermost(result).__annotations__)


def lookups(column: str) -> list[dict[str, dict[str, str]]]:
    """The tables of functions with this column."""
    found = [table.rows for table in pages.tables(pages.prose(pages.ROOT / "docs" / "lookups.md"))]
    return [rows for rows in found if column in next(iter(rows.values()))]


def _innermost(annotation: Any) -> Any:
    return _innermost(get_args(annotation)[0]) if get_args(annotation) else annotation


# ---- messages ----


@functools.cache
def templates() -> set[str]:
    """Every text in the package's source, with … for what is put in."""
    found = set()
    for file in (pages.ROOT / "provider" / "pulumi_aep").rglob("*.py"):
        if "emulator" not in file.parts:
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.JoinedStr):
                    found.add(
                        _short(
                            "".join(str(getattr(part, "value", "…")) if _is_text(part) else "…" for part in node.values)
                        )
                    )
                elif _is_text(node):
                    found.add(_short(re.sub(r"\{(!r|\d*)\}", "…", str(node.value))))  # type: ignore[attr-defined]
    return found


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _short(text: str) -> str:
    return re.sub("…+", "…", text)


MESSAGES = [
    (page, message)
    for page in pages.PAGES
    for table in pages.tables(pages.prose(page))
    if table.of == "Message"
    for message in table.rows
]


@pytest.mark.parametrize(("page", "message"), MESSAGES, ids=[f"{page.stem}-{text[:50]}" for page, text in MESSAGES])
def test_messages_are_the_package_s_own(page: Path, message: str) -> None:
    without_path = re.sub(r"^[\w.\[\]…]+: ", "", message)
    assert any(text in template for template in templates() for text in (message, without_path))
