"""Any valid program of any kind, made from the models of the kinds; what a model cannot know is said here."""

from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pulumi_aep import ConnectionSpec, FlowSpec, XdmClass
from pulumi_aep.emulator.flow_service import specs
from pulumi_aep.engine.arguments import Arguments, Name, Part
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.engine.values import Props
from pulumi_aep.resources.base_connection import BaseConnectionProvider
from pulumi_aep.resources.dataset import DatasetProvider
from pulumi_aep.resources.field_group import FieldGroupProvider
from pulumi_aep.resources.flow import FlowProvider
from pulumi_aep.resources.mapping_set import MappingSetProvider
from pulumi_aep.resources.schema import SchemaProvider
from pulumi_aep.resources.source_connection import SourceConnectionProvider
from pulumi_aep.resources.target_connection import TargetConnectionProvider
from support.mixpanel import FIELDS, Chain

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS, max_size=12)
WORDS = st.text(CHARACTERS, min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
DESCRIPTIONS = st.none() | TEXT | st.sampled_from(["[pulumi: a/b/c#1]", "two\nlines\n", "[pulumi: ", " "])
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False, width=32)
"""The engine's numbers are doubles."""
JSON = st.recursive(
    st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
IDENTIFIERS: SearchStrategy[str] = st.from_regex(r"[a-z][a-z0-9]{3,8}_", fullmatch=True)
"""No word that Data Prep reserves ends so."""

FORMATS = [spec for spec in specs.CONNECTION_SPECS.values() if spec["attributes"]["isSource"]]


def spec(identity: str) -> SearchStrategy[Any]:
    return st.sampled_from([identity, {"id": identity}, {"id": identity, "version": "1.0"}])


# ---- what the models say ----


def of_type(annotation: Any) -> SearchStrategy[Any]:
    if annotation == Name or annotation is str:
        return WORDS
    if annotation is bool:
        return st.booleans()
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return of_model(annotation)
    inner = [each for each in get_args(annotation) if each is not type(None)]
    assert len(inner) == 1, f"say how to make {annotation}"
    found = of_type(inner[0])
    if get_origin(annotation) is list:
        return st.lists(found, max_size=3)
    return st.none() | found if type(None) in get_args(annotation) else found


def of_model(model: type[Part], **known: SearchStrategy[Any]) -> SearchStrategy[Props]:
    """`known` fields as they are given, the others by their type; what is not required may be missing."""
    required: dict[str, SearchStrategy[Any]] = {}
    optional: dict[str, SearchStrategy[Any]] = {}
    hidden = {"owner"}
    if issubclass(model, Arguments):  # claims, options, and what check() adds
        hidden |= model.fields_that("are options") | model.fields_that("are ignored")
    for name, field in model.model_fields.items():
        if name in hidden:
            continue
        found = known[name] if name in known else of_type(field.annotation)
        (required if field.is_required() else optional)[name] = found
    return st.fixed_dictionaries(required, optional=optional)


# ---- what only the services know ----


def parameters(schema: Props) -> SearchStrategy[Props]:
    objects = st.dictionaries(WORDS, JSON, max_size=2)
    types = {"string": TEXT, "integer": st.integers(1, 65535), "boolean": st.booleans(), "object": objects}

    def of(value: Props) -> SearchStrategy[Any]:
        kind = value.get("type", "string")
        return types[kind if isinstance(kind, str) else kind[0]]

    properties = {name: of(value) for name, value in schema["properties"].items()}
    required = {name: properties.pop(name) for name in schema["required"]}
    return st.fixed_dictionaries(required, optional=properties)


@st.composite
def base_connections(draw: st.DrawFn) -> Props:
    known = draw(st.sampled_from(FORMATS))
    auth: SearchStrategy[Any] = st.none()
    if known["authSpec"]:
        way = draw(st.sampled_from(known["authSpec"]))
        auth = st.fixed_dictionaries({"spec_name": st.just(way["name"]), "params": parameters(way["spec"])})
    model = BaseConnectionProvider.arguments
    made = draw(of_model(model, description=DESCRIPTIONS, connection_spec=spec(known["id"]), auth=auth))
    return {**made, "auth": draw(auth)}


@st.composite
def source_connections(draw: st.DrawFn, chain: Chain, bases: dict[str, str]) -> Props:
    """On Mixpanel, or on another source whose params nobody describes."""
    identity = draw(st.sampled_from([ConnectionSpec.MIXPANEL, *bases]))
    params: SearchStrategy[Any] = st.dictionaries(WORDS, JSON, max_size=3)
    if identity == ConnectionSpec.MIXPANEL:
        zones = st.sampled_from(["UTC", "America/Los_Angeles", "Pacific Standard Time"])
        params = st.fixed_dictionaries({"projectId": st.from_regex("[0-9]{1,8}", fullmatch=True), "timezone": zones})
    formats = specs.FORMATS[identity] or ["json", "delimited"]
    made = draw(
        of_model(
            SourceConnectionProvider.arguments,
            description=DESCRIPTIONS,
            connection_spec=spec(identity),
            base_connection_id=st.just(bases.get(identity, chain.base)),
            data=st.fixed_dictionaries({"format": st.sampled_from(formats)}),
            params=params,
        )
    )
    return {**made, "base_connection_id": bases.get(identity, chain.base), "params": draw(params)}


def target_connections(chain: Chain) -> SearchStrategy[Props]:
    return of_model(
        TargetConnectionProvider.arguments,
        description=DESCRIPTIONS,
        connection_spec=spec(ConnectionSpec.DATA_LAKE),
        dataset_id=st.just(chain.dataset),
        schema_id=st.none() | st.just(chain.schema),
    )


def schedules() -> SearchStrategy[Props]:
    start = st.integers(0, 99_999_999_999)
    starts = (
        start | start.map(str) | st.datetimes(timezones=st.timezones()).filter(_is_sane).map(lambda t: t.isoformat())
    )
    once = st.fixed_dictionaries({"frequency": st.just("once")}, optional={"start_time": starts})
    minutes = {"frequency": st.just("minute"), "interval": st.integers(15, 2000)}
    others = {"frequency": st.sampled_from(["hour", "day", "week"]), "interval": st.integers(1, 2000)}
    more = {"start_time": starts, "backfill": st.booleans()}
    return once | st.fixed_dictionaries(minutes, optional=more) | st.fixed_dictionaries(others, optional=more)


def _is_sane(moment: Any) -> bool:
    return 1970 < moment.year < 5000 and bool(moment.utcoffset().seconds % 60 == 0)


def flows(chain: Chain) -> SearchStrategy[Props]:
    versions = st.sampled_from([0, "0"])
    params = st.fixed_dictionaries({"mappingId": st.just(chain.mapping)}, optional={"mappingVersion": versions})
    mapping = st.fixed_dictionaries({"name": st.just("Mapping"), "params": params})
    options = {"error_diagnostics_enabled": st.booleans(), "partial_ingestion_percent": st.integers(0, 100)}
    found = of_model(
        FlowProvider.arguments,
        description=DESCRIPTIONS,
        flow_spec=spec(FlowSpec.REST_STORAGE_TO_AEP),
        source_connection_id=st.just(chain.source),
        target_connection_id=st.just(chain.target),
        transformations=st.lists(mapping, max_size=1),
        schedule=schedules(),
        options=st.none() | st.fixed_dictionaries({}, optional=options),
    )
    return st.tuples(found, schedules()).map(lambda both: {"schedule": both[1], **both[0]})  # batch flows need one


@st.composite
def mapping_sets(draw: st.DrawFn, chain: Chain) -> Props:
    tenant = st.sampled_from(["_{tenantId}", "_emulator"])
    names = draw(st.lists(st.sampled_from([*FIELDS, "_id", "eventType"]), min_size=1, unique=True))
    lines = []
    for name in names:
        kind = draw(st.sampled_from(["ATTRIBUTE", "EXPRESSION", "STATIC"]))
        paths = st.lists(IDENTIFIERS, min_size=1, max_size=3).map(".".join)
        sources = {"ATTRIBUTE": paths, "EXPRESSION": paths.map(lambda path: f'concat("x", {path})'), "STATIC": WORDS}
        line = {"source": draw(sources[kind]), "source_type": kind, "name": draw(st.none() | TEXT)}
        line["destination"] = name if name in ("_id", "eventType") else f"{draw(tenant)}.{name}"
        lines.append({**line, "description": draw(DESCRIPTIONS)})
    return {"schema_id": chain.schema, "mappings": lines}


def fields() -> SearchStrategy[Props]:
    texts = {"title": TEXT, "description": TEXT}

    def field(kind: str, **more: SearchStrategy[Any]) -> SearchStrategy[Props]:
        return st.fixed_dictionaries({"type": st.just(kind), **more}, optional=texts)

    plain = st.one_of(
        field("string"),
        field("string", enum=st.lists(WORDS, min_size=1, max_size=3, unique=True)),
        field("integer", minimum=st.integers(-100, 100)),
        field("number"),
        field("boolean"),
    )

    def deeper(inner: SearchStrategy[Props]) -> SearchStrategy[Props]:
        return field("array", items=inner) | field("object", properties=st.dictionaries(IDENTIFIERS, inner, max_size=3))

    return st.dictionaries(IDENTIFIERS, st.recursive(plain, deeper, max_leaves=5), min_size=1, max_size=4)


def field_groups() -> SearchStrategy[Props]:
    classes = st.lists(st.sampled_from([XdmClass.EXPERIENCE_EVENT, XdmClass.PROFILE]), min_size=1, unique=True)
    return of_model(FieldGroupProvider.arguments, description=DESCRIPTIONS, fields=fields(), class_ids=classes)


def schemas(groups: list[str]) -> SearchStrategy[Props]:
    return of_model(
        SchemaProvider.arguments,
        description=DESCRIPTIONS,
        class_id=st.just(XdmClass.EXPERIENCE_EVENT),
        field_group_ids=st.lists(st.sampled_from(groups), unique=True),
    )


def datasets(chain: Chain) -> SearchStrategy[Props]:
    tags = st.dictionaries(WORDS, st.lists(TEXT, max_size=3), max_size=3)
    return of_model(
        DatasetProvider.arguments, description=DESCRIPTIONS, schema_id=st.just(chain.schema), tags=st.none() | tags
    )


def any_of(kind: type[Provider], chain: Chain, bases: dict[str, str], groups: list[str]) -> SearchStrategy[Props]:
    """`bases`: connection spec → base connection, of other sources than Mixpanel; `groups`: field groups to use."""
    made: dict[type[Provider], SearchStrategy[Props]] = {
        BaseConnectionProvider: base_connections(),
        SourceConnectionProvider: source_connections(chain, bases),
        TargetConnectionProvider: target_connections(chain),
        FlowProvider: flows(chain),
        MappingSetProvider: mapping_sets(chain),
        FieldGroupProvider: field_groups(),
        SchemaProvider: schemas(groups),
        DatasetProvider: datasets(chain),
    }
    return made[kind]
