"""Objects as a Pulumi program: names, references instead of ids, adopt lines, and Python in the form of ruff format."""

import inspect
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from ..constants import ConnectionSpec, FlowSpec, XdmClass
from ..engine.arguments import Spec
from ..engine.values import UNKNOWN, Props
from ..resources import Flow, MappingSet
from ._sandbox_objects import ADOBES, MAPPING_ID, Found, Kind, references, with_references, words

WIDTH = 88
_RESERVED = {*keyword.kwlist, "adopt", "aep", "at_home", "config", "credentials", "pulumi", "signal"}
_CONSTANTS = {
    value: f"aep.{owner.__name__}.{name}"
    for owner in (ConnectionSpec, FlowSpec, XdmClass)
    for name, value in vars(owner).items()
    if name.isupper()
}


@dataclass(frozen=True)
class Code:
    """A piece of Python, as it stands."""

    text: str


@dataclass(frozen=True)
class Written:
    """An object's part of a program: its variable, the name of its resource, and its arguments.

    `secrets` are the keys of the stack's config that hold its secrets, `notes` what a reader should know.
    """

    found: Found
    variable: str
    name: str
    arguments: dict[str, Any]
    secrets: list[str]
    notes: list[str]


def write_all(found: Iterable[Found], taken: Iterable[str] = ()) -> list[Written]:
    """The objects that a resource can be, in the order given: what is needed stands before what needs it.

    `taken` are names of resources that the program has already.
    """
    everything = list(found)
    others = {(each.kind, each.id): each for each in everything if each.obstacles}
    names = _names([each for each in everything if not each.obstacles], taken)
    versions = {each.id: each.item.get("version") for each in everything if each.kind is MappingSet}
    return [_written(each, names, others, versions) for each in everything if not each.obstacles]


def _written(
    found: Found, names: dict[tuple[Kind, str], str], others: dict[tuple[Kind, str], Found], versions: dict[str, Any]
) -> Written:
    variable = names[found.kind, found.id]
    name = variable.replace("_", "-")
    provider = found.kind.provider()
    props = with_references(
        provider.arguments.brief(found.props),
        lambda kind, object_id: Code(f"{names[kind, object_id]}.id") if (kind, object_id) in names else object_id,
    )
    keys: list[str] = []
    parameters = inspect.signature(found.kind.__init__).parameters
    first = [each for each in ("name", "title", "description") if each in parameters]
    arguments = {
        each: _argument(each, props[each], found, name, keys)
        for each in (*first, *(each for each in parameters if each not in first))
        if each in props
    }
    defaults = {each: _constant(parameters[each].default) for each in arguments}
    arguments = {each: value for each, value in arguments.items() if value != defaults[each]}
    left = [others[each] for each in references(found.props) if each in others]
    notes = [
        f"{words(each.kind).replace('_', ' ')} {each.id} is named by its id: {'; '.join(each.obstacles)}"
        for each in left
        if each.obstacles != [ADOBES]
    ]
    if found.unsaid:
        notes.append(f"not in the program, so a new one would lack it: {', '.join(found.unsaid)}")
    if found.kind is Flow:
        notes += _mapping_versions(arguments.get("transformations", []), found, names, versions)
    if found.owner:
        notes.append(_OWNED.format(found.owner))
    return Written(found, variable, name, arguments, keys, notes)


def _mapping_versions(
    transformations: list[Props], found: Found, names: dict[tuple[Kind, str], str], versions: dict[str, Any]
) -> list[str]:
    """A flow that uses the latest version of its mapping set goes on doing so; one that does not keeps its own."""
    notes = []
    for written, given in zip(transformations, found.props["transformations"], strict=True):
        object_id, used = given["params"].get(MAPPING_ID), given["params"].get("mappingVersion")
        if (MappingSet, object_id) not in names:
            continue
        if str(used) == str(versions[object_id]):
            written["params"]["mappingVersion"] = Code(f"{names[MappingSet, object_id]}.version")
        else:
            notes.append(f"uses version {used} of its mapping set; the mappings here are version {versions[object_id]}")
    return notes


def _argument(name: str, value: Any, found: Found, resource: str, keys: list[str]) -> Any:
    annotation = found.kind.provider.arguments.model_fields[name].annotation
    if annotation is Spec and set(value) == {"id"}:
        return _constant(value["id"])
    if name == "auth":
        params = value.get("params", {})
        secrets = {
            param: f"{resource}-{re.sub('[^A-Za-z0-9]+', '-', param)}"
            for param, each in params.items()
            if each is UNKNOWN
        }
        keys += secrets.values()
        others = {param: each for param, each in params.items() if each is not UNKNOWN}
        return _Call("credentials", [value["spec_name"], others, secrets])
    return _constant(value)


def _constant(value: Any) -> Any:
    if isinstance(value, list):
        return [_constant(item) for item in value]
    return Code(_CONSTANTS[value]) if isinstance(value, str) and value in _CONSTANTS else value


# ---- names ----


def _names(found: list[Found], taken: Iterable[str]) -> dict[tuple[Kind, str], str]:
    """(kind, id) → a variable, in words of the object's name; of a nameless mapping set, of the flow that uses it."""
    users = {
        object_id: flow.name
        for flow in reversed(found)
        if flow.kind is Flow
        for kind, object_id in references(flow.props)
        if kind is MappingSet
    }
    used = {*_RESERVED, *(name.replace("-", "_") for name in taken)}
    names = {}
    for each in found:
        kind = words(each.kind).split("_")[0]
        slug = _slug(each.name or users.get(each.id, "")).replace("-", "_")
        if kind not in slug or (each.kind is MappingSet and not each.name):
            slug = f"{slug}_{kind}" if slug[:1].isalpha() else f"{kind}_{slug}".rstrip("_")
        if not slug[0].isalpha():
            slug = f"{kind}_{slug}"
        name, number = slug, 2
        while name in used:
            name, number = f"{slug}_{number}", number + 1
        used.add(name)
        names[each.kind, each.id] = name
    return names


def _slug(text: str) -> str:
    """ "Büro: Ereignisse" → buro-ereignisse"""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-")


# ---- the program ----


def program(written: list[Written], home: Mapping[str, str]) -> str:
    """A whole program. `home` are the settings (`aep:…`, without the prefix) that tell the sandbox from others."""
    secrets = any(isinstance(each.arguments.get("auth"), _Call) for each in written)
    head = _HEAD.format(version=version("pulumi-aep"), sandbox=home["sandbox"])
    lines = [head, "import signal"]
    lines += ["from typing import Any", ""] if secrets else [""]
    lines += ["import pulumi", "import pulumi_aep as aep", "", _QUIET, ""]
    lines += ["config = pulumi.Config()"] if secrets else []
    return "\n".join(
        [
            *lines,
            f"HOME = {_render(dict(home), 0, 7)}",
            'at_home = all(pulumi.Config("aep").get(key) == value for key, value in HOME.items())',
            "",
            "",
            _ADOPT,
            *(["", "", _CREDENTIALS] if secrets else []),
            "",
            *_body(written, _adopted_at_home),
        ]
    )


def module(written: list[Written]) -> str:
    """Resources to add to a program that manages their sandbox already, each adopted; credentials stay as they are."""
    shown = []
    for each in written:
        arguments = {name: value for name, value in each.arguments.items() if name != "auth"}
        notes = [note for note in each.notes if note != _OWNED.format(each.found.owner)]
        shown.append(replace(each, arguments=arguments, notes=notes))
    return "\n".join([_ADDED, "import pulumi_aep as aep", *_body(shown, _adopted)])


def _adopted_at_home(each: Written) -> dict[str, Any]:
    return {"adopt": _Call("adopt", [each.found.id])}


def _adopted(each: Written) -> dict[str, Any]:
    """What the same state made under another name is taken from there."""
    return {"adopt": each.found.id, **({"take_over": True} if each.found.owner else {})}


def _body(written: list[Written], adoption: Any) -> list[str]:
    lines = []
    for each in written:
        lines += ["", *(f"# {_one_line(note)}" for note in each.notes)]
        arguments = {**each.arguments, **adoption(each)}
        lines += [f"{each.variable} = aep.{each.found.kind.__name__}(", f"    {_text(each.name)},"]
        lines += [f"    {name}={_render(value, 4, len(name) + 1)}," for name, value in arguments.items()]
        lines += [")"]
    return [*lines, ""]


_OWNED = "managed by {}: take_over=True takes it from there"

_QUIET = "signal.signal(signal.SIGINT, signal.SIG_DFL)  # a failing update shows no traceback"

_HEAD = '''\
"""The dataflows of sandbox {sandbox}, exported by pulumi-aep {version}.

What that sandbox has is adopted; a stack of any other sandbox makes its own.
"""
'''

_ADDED = '''\
"""Objects that this stack owned or resembled and did not manage, each adopted."""
'''

_ADOPT = '''\
def adopt(object_id: str) -> str | None:
    """What exists where this was exported from is adopted there, and made elsewhere."""
    return object_id if at_home else None'''

_CREDENTIALS = '''\
def credentials(
    spec_name: str, params: dict[str, Any], secrets: dict[str, str]
) -> aep.Auth | None:
    """Credentials, with secrets (param: key) out of the stack's config.

    Where this was exported from they stay as they are until their secrets are set.
    """
    if at_home and not all(config.get(key) for key in secrets.values()):
        return None
    given = {param: config.require_secret(key) for param, key in secrets.items()}
    return {"spec_name": spec_name, "params": {**params, **given}}'''


# ---- Python as text ----


@dataclass(frozen=True)
class _Call:
    function: str
    arguments: list[Any]


def _render(value: Any, indent: int, before: int) -> str:
    """The value as Python, on one line where it fits behind `before` characters, else an item per line."""
    short = _short(value)
    if indent + before + _width(short) + 1 <= WIDTH:
        return short
    inner, close = " " * (indent + 4), " " * indent
    if isinstance(value, dict) and value:
        lines = [
            f"{inner}{_text(key)}: {_render(item, indent + 4, len(_text(key)) + 2)},\n" for key, item in value.items()
        ]
        return "{\n" + "".join(lines) + close + "}"
    if isinstance(value, list) and value:
        return "[\n" + "".join(f"{inner}{_render(item, indent + 4, 0)},\n" for item in value) + close + "]"
    if isinstance(value, _Call) and value.arguments:
        lines = [f"{inner}{_render(item, indent + 4, 0)},\n" for item in value.arguments]
        return f"{value.function}(\n" + "".join(lines) + close + ")"
    return short


def _width(text: str) -> int:
    """At most so many columns: ruff counts some characters double."""
    return sum(1 if character.isascii() else 2 for character in text)


def _short(value: Any) -> str:
    if isinstance(value, Code):
        return value.text
    if isinstance(value, _Call):
        return f"{value.function}({', '.join(map(_short, value.arguments))})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {_short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    if isinstance(value, float):
        return repr(value).replace("e+", "e")
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    """A string with double quotes, unless single ones spare escapes."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    return quote + "".join(_character(each, quote) for each in value) + quote


def _character(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return f"\\{character}"
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _one_line(text: str) -> str:
    return "".join(character for character in " ".join(text.split()) if character.isprintable())
