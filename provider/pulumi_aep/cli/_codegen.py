"""Pulumi programs for objects of a sandbox: names, references instead of ids, `adopt` lines, the format of ruff."""

import json
import keyword
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

from ..constants import ConnectionSpec, FlowSpec, XdmClass
from ..engine.arguments import SpecRef
from ..engine.kind import Kind
from ..engine.values import UNKNOWN
from ..resources._references import words
from ._sandbox_objects import ADOBE_OWNED, SandboxObject, references

WIDTH, PROGRAM_WIDTH = 88, 120
_USED_NAMES = {*keyword.kwlist, "adopt", "aep", "credentials", "flows", "home", "parts", "pulumi", "shared"}
CONSTANTS = {
    value: f"aep.{owner.__name__}.{name}"
    for owner in (ConnectionSpec, FlowSpec, XdmClass)
    for name, value in vars(owner).items()
    if name.isupper()
}
"""Id → the constant that programs write for it."""


@dataclass(frozen=True)
class Code:
    """Python source, taken as it is."""

    text: str


@dataclass(frozen=True)
class Call:
    """A function call."""

    function: str
    arguments: list[Any]
    keywords: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GeneratedResource:
    """A resource of the program: its class, its variable, its resource name, its arguments.

    `uses` are the variables that it refers to, `secrets` the keys of the stack's config that hold its secrets, `notes`
    comments for the reader, `parts` the ids of what a Source adopts.
    """

    found: SandboxObject
    kind: str
    variable: str
    name: str
    arguments: dict[str, Any]
    uses: list[str]
    secrets: list[str]
    notes: list[str]
    parts: dict[str, str] = field(default_factory=dict)


Objects = dict[tuple[Kind, str], SandboxObject]
Variables = dict[tuple[Kind, str], str]


def generate(objects: Iterable[SandboxObject], taken: Collection[str] = ()) -> list[GeneratedResource]:
    """Resources for the objects without problems, in the order given, which has dependencies first.

    `taken` are names of resources that the program already has.
    """
    known = {(each.kind, each.id): each for each in objects}
    usable = [each for each in known.values() if not each.problems]
    variables = _variables(usable, taken)
    alike = Counter((each.kind, slugify(each.name)) for each in usable)
    once = {slug: count == 1 and slug[1] not in {"", *taken} for slug, count in alike.items()}
    return [_generate(each, known, variables, once[each.kind, slugify(each.name)]) for each in usable]


def _generate(found: SandboxObject, known: Objects, variables: Variables, unique: bool) -> GeneratedResource:
    """Named like its object if that name is `unique`, else like its variable."""
    variable = variables[found.kind, found.id]
    name = slugify(found.name) if unique else variable.replace("_", "-")
    uses: list[str] = []
    needed = {name: value for name, value in found.props.items() if name not in found.derived}
    props = deepcopy(found.kind.arguments.minimal(needed))
    notes: list[str] = []
    followed: list[tuple[str, Any]] = []
    for reference in references(found.kind, props):
        kind, other = reference.kind, known.get((reference.kind, reference.id))
        variable_of_other = variables.get((kind, reference.id))
        if other and other.problems and other.problems != [ADOBE_OWNED]:
            problems = "; ".join(other.problems)
            notes.append(f"{words(kind.name)} {other.id} is referenced by its id: {problems}")
        elif other and variable_of_other and reference.version_key:
            used, latest = reference.holder.get(reference.version_key), other.item.get("version")
            if str(used) == str(latest):
                reference.holder[reference.version_key] = Code(f"{variable_of_other}.version")
                followed.append((variable_of_other, reference.holder))
            else:
                notes.append(f"uses version {used} of its {words(kind.name)}; the program has version {latest}")
        if variable_of_other:
            uses.append(variable_of_other)
            reference.holder[reference.key] = Code(f"{variable_of_other}.id")
    for other_kind in found.kind.references:
        whole, short = other_kind.path.partition(".")[0], other_kind.short
        if short and len(followed) == 1 and any(each is followed[0][1] for each in props[whole][-1].values()):
            others: list[Any] = props[whole][:-1]
            shorter: dict[str, Any] = {}
            for key, value in props.items():
                shorter |= {key: value} if key != whole else {whole: others, short: Code(followed[0][0])}
            props = {key: value for key, value in shorter.items() if key != whole or others}
    if found.unmanaged_fields:
        notes.append(f"not in the program, so a new one would lack it: {', '.join(found.unmanaged_fields)}")
    if found.owner:
        notes.append(_OWNED.format(found.owner))
    secrets: list[str] = []
    order = dict.fromkeys(["name", "title", "description", *props])  # what names an object comes first
    unsaid, implied = ("adopt", "take_over", "owner"), found.kind.arguments.named(name)
    written = [each for each in order if each in props and each not in unsaid and props[each] != implied.get(each)]
    arguments = {each: _argument(each, props[each], found, name, secrets) for each in written}
    return GeneratedResource(found, found.kind.name, variable, name, arguments, uses, secrets, notes)


def _argument(name: str, value: Any, found: SandboxObject, resource: str, secrets: list[str]) -> Any:
    field = found.kind.arguments.fields.get(name)
    if field and field.nested is SpecRef and set(value) == {"id"}:
        return with_constants(value["id"])
    if value is UNKNOWN:
        secrets.append(f"{resource}-{name}")
        return Call("secret", [secrets[-1]])
    if name != "auth":
        return with_constants(value)
    params = value.get("params", {})
    hidden = [param for param, each in params.items() if each is UNKNOWN]
    keys = {param: f"{resource}-{re.sub('[^A-Za-z0-9]+', '-', param)}" for param in hidden}
    secrets += keys.values()
    return Call("credentials", [value["spec_name"], {each: params[each] for each in params if each not in keys}, keys])


def with_constants(value: Any) -> Any:
    """The value with well-known ids as constants."""
    if isinstance(value, list):
        return [with_constants(item) for item in value]
    return Code(CONSTANTS[value]) if isinstance(value, str) and value in CONSTANTS else value


# ---- names ----


def _variables(objects: list[SandboxObject], taken: Collection[str]) -> Variables:
    """(kind, id) → a variable from the object's name; for a nameless kind from the name of what uses it."""
    users = {
        reference.id: user.name
        for user in reversed(objects)
        for reference in references(user.kind, user.props)
        if not reference.kind.natural_key
    }
    used = {*_USED_NAMES, *(name.replace("-", "_") for name in taken)}
    variables = {}
    for each in objects:
        kind = words(each.kind.name).split()[0]
        slug = slugify(each.name or users.get(each.id, "")).replace("-", "_")
        if kind not in slug or not each.name:
            slug = f"{slug}_{kind}" if slug[:1].isalpha() else f"{kind}_{slug}".rstrip("_")
        if not slug[0].isalpha():
            slug = f"{kind}_{slug}"
        name, number = slug, 2
        while name in used:
            name, number = f"{slug}_{number}", number + 1
        used.add(name)
        variables[each.kind, each.id] = name
    return variables


def slugify(text: str) -> str:
    """ "Büro: Ereignisse" → buro-ereignisse"""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-")


# ---- programs ----


def render_program(resources: list[GeneratedResource], home: Mapping[str, str]) -> dict[str, str]:
    """The files of a whole program: one for each flow, one for what several of them use.

    `home` are the settings (`aep:…`, without the prefix) that identify the exported sandbox.
    """
    from jinja2 import Environment, PackageLoader

    from ._chains import shared_values, with_sources

    templates = Environment(loader=PackageLoader("pulumi_aep.cli"), trim_blocks=True, keep_trailing_newline=True)
    resources, constants = shared_values(with_sources(resources), PROGRAM_WIDTH)
    ids = {each.name: each.parts for each in resources if each.parts}
    texts: dict[str, Any] = {
        "sandbox": home["sandbox"],
        "version": version("pulumi-aep"),
        "home": render(dict(home), 0, len("HOME = "), PROGRAM_WIDTH),
        "helpers": _helpers(resources),
    }
    if {"credentials", "secret"} & set(texts["helpers"]):
        secrets = [key for each in resources for key in each.secrets]
        texts["secrets"] = render(secrets, 0, len("SECRETS = "), PROGRAM_WIDTH)
    files = {
        "__main__.py": templates.get_template("main.py.jinja").render(texts),
        "home.py": templates.get_template("home.py.jinja").render(texts),
        "flows/__init__.py": "",
        "ruff.toml": f"line-length = {PROGRAM_WIDTH}\n",
        **({"parts.json": json.dumps(ids, indent=2) + "\n"} if ids else {}),
    }
    modules = _modules(resources)
    if constants:
        modules.setdefault("shared", [])
    module_of = dict.fromkeys(constants, "shared") | {each.variable: name for name in modules for each in modules[name]}
    for name, members in modules.items():
        uses = {used for each in members for used in each.uses if module_of[used] != name}
        own = constants if name == "shared" else {}
        helpers = [*(["adopt"] if any(not each.parts for each in members) else []), *_helpers(members)]
        blocks = [
            "from typing import Any\n" if own else "",
            "import pulumi_aep as aep\n" if members else "",
            (_import("flows.shared", sorted(uses)) if uses else "") + (_import("home", helpers) if helpers else ""),
            "".join(f"{key}: Any = {render(value, 0, len(key) + 8, PROGRAM_WIDTH)}\n" for key, value in own.items()),
        ]
        text = "\n".join(filter(None, blocks))
        files[f"flows/{name}.py"] = text + _render_all(
            members, lambda found: {"adopt": Call("adopt", [found.id])}, PROGRAM_WIDTH
        )
    return files


def _helpers(resources: list[GeneratedResource]) -> list[str]:
    """The functions of home.py that the arguments of resources call."""
    return sorted({each.function for found in resources for each in found.arguments.values() if isinstance(each, Call)})


def _modules(resources: list[GeneratedResource]) -> dict[str, list[GeneratedResource]]:
    """Module → its resources, in order: what only one flow uses is in that flow's module."""
    known = {each.variable: each for each in resources}
    roots = known.keys() - {used for each in resources for used in each.uses}
    users: dict[str, set[str]] = {variable: set() for variable in known}
    for root in sorted(roots):
        todo = [root]
        while todo:
            variable = todo.pop()
            if root not in users[variable]:
                users[variable].add(root)
                todo += known.keys() & known[variable].uses
    modules: dict[str, list[GeneratedResource]] = {}
    for each in resources:
        of = users[each.variable]
        modules.setdefault(next(iter(of)) if len(of) == 1 else "shared", []).append(each)
    return modules


def _import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) > PROGRAM_WIDTH:
        line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
    return f"{line}\n"


def render_module(resources: list[GeneratedResource]) -> str:
    """Resources to add to the program that manages their sandbox, each adopted; secrets stay as they are."""
    shown = []
    for each in resources:
        arguments = {name: value for name, value in each.arguments.items() if not isinstance(value, Call)}
        notes = [note for note in each.notes if note != _OWNED.format(each.found.owner)]
        shown.append(replace(each, arguments=arguments, notes=notes))
    return _ADDED + _render_all(
        shown, lambda found: {"adopt": found.id, **({"take_over": True} if found.owner else {})}, WIDTH
    )


def _render_all(
    resources: list[GeneratedResource], adoption: Callable[[SandboxObject], dict[str, Any]], width: int
) -> str:
    """Each resource after a blank line and its notes."""
    lines = []
    for each in resources:
        arguments = {**each.arguments, **({} if each.parts else adoption(each.found))}
        lines += ["", *(f"# {_one_line(note)}" for note in each.notes)]
        lines.append(render_resource(each.variable, each.kind, each.name, arguments, width))
    return "".join(f"{line}\n" for line in lines)


def render_resource(variable: str, kind: str, name: str, arguments: Mapping[str, Any], width: int = WIDTH) -> str:
    """`variable = aep.Kind("name", …)`: the arguments on one line if they fit, else each on its own."""
    head = f"{variable} = aep.{kind}("
    short = [quoted(name), *(f"{key}={render(value, width=math.inf)}" for key, value in arguments.items())]
    for form in (f"{head}{', '.join(short)})", f"    {', '.join(short)}"):
        if _width(form) <= width:
            return form if form.startswith(head) else f"{head}\n{form}\n)"
    lines = [f"    {key}={render(value, 4, len(key) + 1, width)}," for key, value in arguments.items()]
    return "\n".join([head, f"    {quoted(name)},", *lines, ")"])


_OWNED = "managed by {}: take_over=True takes it from there"

_ADDED = '''\
"""Objects that carried this stack's owner or looked like its own, each adopted."""

import pulumi_aep as aep
'''


# ---- Python as text ----


def render(value: Any, indent: int = 0, before: int = 0, width: float = WIDTH) -> str:
    """The value as Python: on one line if it fits after `before` characters, else one item per line."""
    match value:
        case Code():
            return value.text
        case str():
            return quoted(value)
        case float():
            return repr(value).replace("e+", "e")
        case dict():
            opening, closing, items = "{", "}", [(f"{quoted(key)}: ", item) for key, item in value.items()]
        case Call():
            opening, closing = f"{value.function}(", ")"
            items = [
                *(("", item) for item in value.arguments),
                *((f"{k}=", item) for k, item in value.keywords.items()),
            ]
        case list():
            opening, closing, items = "[", "]", [("", item) for item in value]
        case _:
            return repr(value)
    short = opening + ", ".join(label + render(item, width=math.inf) for label, item in items) + closing
    if not items or indent + before + _width(short) + 1 <= width:
        return short
    inner = " " * (indent + 4)
    body = inner + short[len(opening) : -len(closing)]
    if isinstance(value, Call) and _width(body) <= width:
        return f"{opening}\n{body}\n{' ' * indent}{closing}"
    lines = [f"{inner}{label}{render(item, indent + 4, len(label), width)},\n" for label, item in items]
    return f"{opening}\n{''.join(lines)}{' ' * indent}{closing}"


def _width(text: str) -> int:
    """An upper bound of the columns: ruff counts some characters double."""
    return len(text) + sum(not character.isascii() for character in text)


def quoted(value: str) -> str:
    """A string literal with double quotes, or single ones if that saves escapes."""
    text = repr(value)
    if text.startswith('"') or value.count('"') > value.count("'"):
        return text
    return '"{}"'.format(text[1:-1].replace("\\'", "'").replace('"', '\\"'))


def _one_line(text: str) -> str:
    return "".join(character for character in " ".join(text.split()) if character.isprintable())
