"""The tables of the pages say what the code says: arguments, outputs, settings, commands, messages."""

import ast
import collections.abc
import dataclasses
import functools
import inspect
import re
import types
import typing
from pathlib import Path
from typing import Any, get_args, get_origin

import pulumi
import pytest
import typer.main

import pulumi_aep as aep
from docs import pages
from kinds import DESCRIPTIONS
from pulumi_aep import config
from pulumi_aep.cli import app
from support.kinds import CLAIMS, DERIVED, HELPERS, Change, fields, names, outputs, resource_class

EVERY_KIND = {"id", "owner", "sandbox", "org_id"}
PUBLIC = {name: getattr(aep, name) for name in aep.__all__}

for_every_kind = pytest.mark.parametrize("kind", [*names(), *HELPERS])


def page_of(kind: str) -> Path:
    """BaseConnection → docs/kinds/base-connection.md"""
    return pages.KIND_PAGES / (re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower() + ".md")


def type_names(annotation: Any) -> set[str]:
    """The types that a user may write, by name: Input[str | SpecRef] | None → {"str", "SpecRef"}"""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (typing.Union, types.UnionType, typing.NotRequired):
        return {name for part in arguments for name in type_names(part)}
    if annotation is types.NoneType or origin is collections.abc.Awaitable or isinstance(annotation, typing.ForwardRef):
        return set()  # the other two forms of an Input: an awaitable, and Output as a forward reference
    if origin is pulumi.Output:
        return type_names(arguments[0])
    if origin is list:
        return {f"list[{_one(arguments[0])}]"}
    if origin is dict:
        return {"dict"} if arguments[1] is Any else {f"dict[{_one(arguments[0])}, {_one(arguments[1])}]"}
    return {annotation.__name__}


def _one(annotation: Any) -> str:
    (name,) = type_names(annotation)
    return name


def parameters(kind: Any) -> dict[str, inspect.Parameter]:
    found = inspect.signature(kind.__init__).parameters
    return {name: found[name] for name in found if name not in ("self", "resource_name", "opts", "claim")}


def assert_arguments(kind: Any, rows: dict[str, dict[str, str]]) -> None:
    wanted = parameters(kind)
    assert set(rows) == set(wanted)
    for name, row in rows.items():
        assert set(pages.spans(row["Type"])) == type_names(wanted[name].annotation), name
        default = wanted[name].default
        assert (row["Default"] == "required") == (default is inspect.Parameter.empty), name
        if default not in (inspect.Parameter.empty, None):
            assert eval(row["Default"].strip("`"), PUBLIC) == default, name


@for_every_kind
def test_arguments(kind: str) -> None:
    rows = pages.table(page_of(kind), "Argument")
    assert set(rows) == set(fields(kind)) - DERIVED - CLAIMS
    assert_arguments(resource_class(kind), rows)
    for change in (Change.UPDATE, Change.REPLACE, Change.PROVIDER_ONLY):
        marked = {name for name, row in rows.items() if re.match(rf"{change}\b", row["Change"])}
        assert marked == set(fields(kind, change)) - DERIVED


def test_claims() -> None:
    """How a resource meets what exists: the same for every kind, on one page."""
    rows = pages.table(pages.KIND_PAGES / "README.md", "Key of `NamedClaim`")
    assert set(rows) == CLAIMS
    for kind in names():
        claims = set(fields(kind, Change.CREATE_ONLY)) - DERIVED
        assert claims == set(rows) - (set() if DESCRIPTIONS[kind].natural_key else {"allow_duplicate_name"})


def test_arguments_of_the_component() -> None:
    assert_arguments(aep.MixpanelSource, pages.table(page_of("MixpanelSource"), "Argument"))


def test_attributes_of_the_component() -> None:
    rows = pages.table(page_of("MixpanelSource"), "Attribute")
    parts = {name: type_names(hint) for name, hint in aep.MixpanelSource.__annotations__.items()}
    assert {name: set(pages.spans(row["Type"])) - {"None"} for name, row in rows.items()} == parts


@for_every_kind
def test_outputs(kind: str) -> None:
    rows = pages.table(page_of(kind), "Output")
    assert set(rows) == set(outputs(kind))
    for name, row in rows.items():
        assert set(pages.spans(row["Type"])) == type_names(resource_class(kind).__annotations__[name]), name


def test_outputs_of_every_kind() -> None:
    assert set(pages.table(pages.KIND_PAGES / "README.md", "Output")) == EVERY_KIND


def test_every_kind_is_listed() -> None:
    listed = pages.table(pages.KIND_PAGES / "README.md", "Kind")
    assert {re.sub(r"\[(\w+)\].*", r"\1", name) for name in listed} == {*names(), *HELPERS}


def nested_types() -> dict[str, Any]:
    """The TypedDicts that arguments of the kinds take, by name."""
    modules = [inspect.getmodule(resource_class(kind)) for kind in names()]
    return {name: value for module in modules for name, value in vars(module).items() if typing.is_typeddict(value)}


def test_keys_of_nested_arguments() -> None:
    documented = {"Claim", "NamedClaim"}  # the same for every kind: test_claims
    for page in map(page_of, names()):
        for table in pages.tables(pages.prose(page)):
            if match := re.fullmatch(r"Key of `(\w+)`", table.of):
                documented.add(match[1])
                assert_keys(nested_types()[match[1]], table.rows)
    assert documented == set(nested_types())


def assert_keys(nested: Any, rows: dict[str, dict[str, str]]) -> None:
    hints = nested.__annotations__
    assert set(rows) == set(hints), nested
    for name, row in rows.items():
        assert set(pages.spans(row["Type"])) == type_names(hints[name]), (nested, name)
        assert (row["Default"] == "required") == (name in nested.__required_keys__), (nested, name)


@pytest.mark.parametrize(
    ("kind", "argument", "nested", "key"),
    [("Flow", "schedule", "Schedule", "frequency"), ("MappingSet", "mappings", "Mapping", "source_type")],
)
def test_the_words_that_an_argument_allows(kind: str, argument: str, nested: str, key: str) -> None:
    """The page names what check() allows, and nothing else."""
    meaning = pages.table(page_of(kind), f"Key of `{nested}`")[key]["Meaning"]
    assert tuple(pages.spans(meaning)) == get_args(fields(kind)[argument].inner[key].annotation)


# ---- settings and commands ----


def test_settings() -> None:
    rows = pages.table(pages.ROOT / "docs" / "configuration.md", "Key in stack config")
    assert {key: row["Environment variable"].strip("`") for key, row in rows.items()} == {
        f"aep:{key}": variable for key, variable in config.VARIABLES.items()
    }
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


OF_OUTPUTS = {"explore", "get_flow_runs"}
"""The look-ups that take and give outputs."""


def test_lookups() -> None:
    rows = next(iter(lookups("By")))
    assert set(rows) == {name for name in aep.__all__ if name.startswith("get_")} - OF_OUTPUTS
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
