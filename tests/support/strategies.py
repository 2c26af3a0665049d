"""Any valid arguments of a kind, from its fields; what the fields cannot say, its description says."""

from typing import Any, Literal, get_args, get_origin
from unicodedata import category

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from support.kinds import TEXTS, Change, Field, fields

Props = dict[str, Any]

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS, max_size=12)
WORDS = st.text(CHARACTERS, min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
NAMES = WORDS.filter(lambda text: not any(category(character) == "Cc" for character in text))
DESCRIPTIONS = st.none() | TEXT | st.sampled_from(["[pulumi: a/b/c#1]", "two\nlines\n", "[pulumi: ", " "])
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
"""The engine's numbers are doubles."""
JSON = st.recursive(
    st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
ODD_TEXTS = st.sampled_from(["", " ", "\n", "a/b", "../a", "${x}", "\u202e", "\x00", "é" * 32, "a" * 5000, "~1", "{}"])
NOISE = JSON | ODD_TEXTS | st.sampled_from([[], {}, [None], [[]], {"": {}}, 1e300, -1, 2**53])
"""Whatever Pulumi can carry."""
IDENTIFIERS: SearchStrategy[str] = st.from_regex(r"[a-z][a-z0-9]{3,8}_", fullmatch=True)
"""Data Prep reserves no word that ends like this."""


def bounded(examples: int) -> settings:
    """Settings of a test that makes so many examples and takes its time with each."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow],
    )


def spec(identity: str) -> SearchStrategy[Any]:
    """A connection spec or flow spec in each of its forms."""
    return st.sampled_from([identity, {"id": identity}, {"id": identity, "version": "1.0"}])


def arguments_of(kind: str, **known: SearchStrategy[Any]) -> SearchStrategy[Props]:
    """`known` arguments as given, the others by their types; an optional argument may be missing."""
    found = fields(kind, Change.UPDATE, Change.REPLACE)
    del found["owner"]
    return _of_fields(found, {"description": DESCRIPTIONS, **known})


def _of_fields(found: dict[str, Field], known: dict[str, SearchStrategy[Any]]) -> SearchStrategy[Props]:
    required: dict[str, SearchStrategy[Any]] = {}
    optional: dict[str, SearchStrategy[Any]] = {}
    for name, field in found.items():
        strategy = known[name] if name in known else _of_field(field)
        (required if field.required else optional)[name] = strategy
    return st.fixed_dictionaries(required, optional=optional)


def _of_field(field: Field) -> SearchStrategy[Any]:
    if not field.inner:
        return _of_type(field.annotation)
    nested = _of_fields(field.inner, {})
    nested = st.lists(nested, max_size=3) if field.many else nested  # type: ignore[assignment]
    return nested if type(None) not in get_args(field.annotation) else st.none() | nested


def _of_type(annotation: Any) -> SearchStrategy[Any]:
    if annotation in TEXTS:
        return NAMES
    if annotation is bool:
        return st.booleans()
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    inner = [each for each in get_args(annotation) if each is not type(None)]
    assert len(inner) == 1, f"the description must say how to make {annotation}"
    found = _of_type(inner[0])
    if get_origin(annotation) is list:
        return st.lists(found, max_size=3)
    return st.none() | found if type(None) in get_args(annotation) else found


def parameters(schema: Props) -> SearchStrategy[Props]:
    """Parameters that a connection spec's JSON schema allows."""
    objects = st.dictionaries(WORDS, JSON, max_size=2)
    types = {"string": TEXT, "integer": st.integers(1, 65535), "boolean": st.booleans(), "object": objects}
    types["array"] = st.lists(objects, max_size=2)

    def of(value: Props) -> SearchStrategy[Any]:
        if "enum" in value:
            return st.sampled_from(value["enum"])
        kind = value.get("type", "string")
        return types[kind if isinstance(kind, str) else kind[0]]

    properties = {name: of(value) for name, value in schema["properties"].items()}
    required = {name: properties.pop(name) for name in schema["required"]}
    return st.fixed_dictionaries(required, optional=properties)


@st.composite
def noisy(draw: st.DrawFn, program: Props, names: set[str]) -> Props:
    """The program with up to two mistakes at any depth: another value, one that is missing, an unknown key."""
    for _ in range(draw(st.integers(0, 2))):
        if program:  # the first mistake may have taken the only argument
            program = draw(_with_mistake(program, names))
    return program


@st.composite
def _with_mistake(draw: st.DrawFn, value: Any, names: set[str]) -> Any:
    keys: list[Any] = [*value] if isinstance(value, dict) else [*range(len(value))] if isinstance(value, list) else []
    if not keys:
        return draw(NOISE)
    key, what = draw(st.sampled_from(keys)), draw(st.sampled_from(["deeper", "deeper", "other", "missing", "more"]))
    changed = value.copy()
    if what == "deeper":
        changed[key] = draw(_with_mistake(value[key], set()))
    elif what == "other":
        changed[key] = draw(NOISE)
    elif what == "missing":
        del changed[key]
    elif isinstance(value, dict):
        changed[draw(WORDS | st.sampled_from(sorted(names)) if names else WORDS)] = draw(NOISE)
    else:
        changed.append(draw(NOISE))
    return changed
