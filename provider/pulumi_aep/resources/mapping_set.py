"""Mapping set: which source field goes to which field of the schema (Data Prep, `/mappingSets`)."""

import re
from typing import Annotated, Any, ClassVar, Literal, Required

import pulumi
from pydantic import AfterValidator, Field
from typing_extensions import Unpack

from ..engine.arguments import Arguments, Change, CommonArgs, F, Input, InternalArgs, NonBlank, SchemaId, Shape
from ..engine.dynamic import Resource
from ..engine.kind import ClaimsUnused, Echo, Exports, GuardsUse, Item, Kind, RebasesUpdate, Reference, ValidatesOnline
from ..engine.ownership import FirstEntryLine, split_owner_line, with_owner_line
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, contains_unknown
from ..errors import DeletionProtected, NotFound
from ..sources.mapping_lint import XdmField, destination_problems, xdm_fields
from ._registry import TENANT, with_namespace, without_namespace
from .field_group import FieldGroup
from .schema import Schema

CONTENT_TYPE = "application/vnd.adobe.xed-full+json;version=1"
LONGEST_EXPRESSION = 4096
_PATH_PART = r"(?:[A-Za-z$_][A-Za-z0-9$_]*|\$\{[^}]+\})(?:\[[0-9*]*\])?"
_SOURCE_PATH = re.compile(rf"{_PATH_PART}(?:\.{_PATH_PART})*")
_READ_TYPES = {"text/x.schema-path": "ATTRIBUTE", "text/x.aep-xl": "EXPRESSION", "text/x.static": "STATIC"}
_IDENTITY_KEYS = ("identity", "primaryIdentity", "identityGroup", "namespaceCode")

Line = tuple[str, str, str]
"""What a mapping is known by: source, destination, source type."""


def _destination(text: str) -> str:
    if not re.fullmatch(r"[^\s.]+(\.[^\s.]+)*", text):
        raise ValueError(f"must be the dotted path of a schema field, like _{{tenantId}}.item; got {text!r}")
    return text


class Mapping(Shape, total=False):
    """One line of a mapping set, in the newer of Data Prep's two generations of names."""

    source: Required[Input[NonBlank]]
    """Path of a source field, an expression or a fixed value, depending on `source_type`."""
    destination: Required[Input[Annotated[str, AfterValidator(_destination)]]]
    """Dotted path of a schema field; `_{tenantId}` in it stands for your organization's namespace."""
    source_type: Annotated[Input[Literal["ATTRIBUTE", "EXPRESSION", "STATIC"]], F(default="ATTRIBUTE")]
    """What the source is: `ATTRIBUTE` (a field), `EXPRESSION` or `STATIC` (a fixed value)."""
    name: Input[str] | None
    """Name of the mapping."""
    description: Input[str] | None
    """Description of the mapping."""


def _type_fits(mapping: Any) -> Any:
    """A source type that does not fit the text can make a mapping set uneditable (Adobe's warning)."""
    source, source_type = mapping["source"], mapping["source_type"]
    if source is UNKNOWN:
        return mapping
    if source_type == "ATTRIBUTE" and not _SOURCE_PATH.fullmatch(source):
        raise ValueError(
            f"source: {source!r} is not a field path; for an expression set source_type='EXPRESSION'; "
            "wrap names with spaces or dots: ${First Name}"
        )
    if source_type == "EXPRESSION" and len(source) > LONGEST_EXPRESSION:
        raise ValueError(f"source: may have at most {LONGEST_EXPRESSION} characters; this one has {len(source)}")
    return mapping


def _distinct(mappings: Any) -> Any:
    destinations = [each["destination"] for each in mappings if each is not UNKNOWN]
    known = [each for each in destinations if each is not UNKNOWN]
    doubled = sorted({name for name in known if known.count(name) > 1})
    if doubled:
        raise ValueError(f"each destination may appear only once; repeated: {', '.join(doubled)}")
    return mappings


class MappingSetArgs(CommonArgs, total=False):
    schema_id: Required[Annotated[Input[SchemaId], F(Change.REPLACE)]]
    """`$id` of the schema, the same as the target dataset's."""
    mappings: Required[
        Annotated[
            Input[
                Annotated[
                    list[Annotated[Mapping, AfterValidator(_type_fits)]], Field(min_length=1), AfterValidator(_distinct)
                ]
            ],
            F(),
        ]
    ]
    """The mappings: at least one, and only one per destination."""


class _Internal(InternalArgs, total=False):
    own_groups: Annotated[Input[list[str]] | None, F(Change.CHECK_ONLY)]
    """`$id`s of the schema's field groups, if the program manages it: the same run may change them and their fields."""
    own_fields: Annotated[Input[list[dict[str, Any] | None]] | None, F(Change.CHECK_ONLY)]
    """Fields of those that the program manages; a None stands for the others."""


class MappingSetKind(Kind, RebasesUpdate, ClaimsUnused, GuardsUse, ValidatesOnline, Exports):
    """Mapping sets ↔ Data Prep. The new one is made before the old one goes: a flow never runs without its mapping."""

    arguments = Arguments(MappingSetArgs, _Internal)
    collection_path = "data_prep.mapping_sets"
    disposable: ClassVar[Props] = {
        "schema_id": "{Schema}",
        "mappings": [{"source": "label", "destination": f"{TENANT}.label"}],
    }
    disposable_change: ClassVar[Props] = {
        "mappings": [{"source": "lower(label)", "source_type": "EXPRESSION", "destination": f"{TENANT}.label"}]
    }
    outputs = ("version",)
    ownership = FirstEntryLine("mappings")
    delete_before_replace = False
    references = (Reference("schema_id", "Schema"),)
    echoes = (
        Echo("own_groups", "schema_id", "Schema", "field_group_ids"),
        Echo("own_fields", "schema_id", "Schema", "field_group_ids", then=("FieldGroup", "fields")),
    )
    lines = ("mappings", "destination", ("source", "source_type"))

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        return {
            "outputSchema": {"schemaRef": {"id": props["schema_id"], "contentType": CONTENT_TYPE}},
            "mappings": [_to_wire(mapping, runtime) for mapping in props["mappings"]],
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        """A mapping is known by its line; the order is the program's as far as it goes."""
        ours = {line_of(_to_wire(mapping, runtime)): mapping for mapping in known.get("mappings") or []}
        there = {line_of(mapping): mapping for mapping in item.get("mappings") or []}
        kept = [_with_texts(mapping, there[line]) for line, mapping in ours.items() if line in there]
        foreign = [_from_line(line) for line in there if line not in ours]
        output = item.get("outputSchema") or {}
        schema_id = (output.get("schemaRef") or {}).get("id") or output.get("id") or item.get("xdmSchema")
        return {"schema_id": schema_id, "mappings": kept + foreign}

    def build_update(self, old: Props, new: Props, runtime: Runtime) -> Item | None:
        """A new version for other mappings, or another owner."""
        same = old["mappings"] == new["mappings"] or _sorted(old, runtime) == _sorted(new, runtime)
        return None if same and old.get("owner") == new.get("owner") else self.body(new, runtime)

    def rebase_update(self, update: Any, item: Item, old: Props, runtime: Runtime) -> Any:
        """A set is written as a whole: what others said of it, and of mappings that stay, is kept."""
        before = {line_of(_to_wire(mapping, runtime)): mapping for mapping in old["mappings"]}
        there = {line_of(mapping): mapping for mapping in item.get("mappings") or []}
        mappings = [
            _with_foreign_texts(mapping, there.get(line_of(mapping), {}), before.get(line_of(mapping), {}))
            for mapping in update["mappings"]
        ]
        kept = {key: item[key] for key in ("name", "allowNullValues") if item.get(key)}
        return {**kept, **update, "mappings": mappings}

    def validate_online(self, props: Props, previous: Props, runtime: Runtime) -> list[str]:
        """The destinations: in a schema that exists, or among the fields that the program gives its own."""
        schema_id, mappings = props.get("schema_id"), props.get("mappings")
        unchanged = schema_id == previous.get("schema_id") and mappings == previous.get("mappings")
        if not unchanged and isinstance(mappings, list) and (doubled := _doubled(mappings, runtime)):
            return doubled
        if unchanged or not isinstance(mappings, list):
            return []
        (own, all_own), tenant = _own_fields(props.get("own_fields"), runtime), f"_{runtime.tenant_id}"
        below = _below_tenant(mappings, runtime) if own and all_own else []
        problems = destination_problems(below, own or {}, tenant)
        if not isinstance(schema_id, str) or not schema_id.startswith("https://"):
            return problems
        groups = props.get("own_groups") or []
        if groups and not problems and runtime.cache(Schema.kind).claimed_line(schema_id) is not None:
            return []  # this run has made it: what could be seen was seen at preview
        try:
            schema = runtime.resolved_schema(schema_id)
        except NotFound:
            return problems or ([] if groups else [f"schema_id: no schema {schema_id} in this sandbox"])
        if groups is UNKNOWN or not {*groups} <= {
            *schema.get("meta:extends", ())
        }:  # it gets fields that nobody has said
            mappings = below
        elif groups and own is None:  # this run may add fields to them
            mappings = [{} if _is_below_tenant(each, runtime) else each for each in mappings]
        return destination_problems(mappings, xdm_fields(schema) | (own or {}), tenant)

    def computed_outputs(self, item: Item, runtime: Runtime) -> Props:
        return {"version": int(item["version"])}

    def is_orphan_of(self, object_id: str, observed: Props, wanted: Props, runtime: Runtime) -> bool:
        """One that is replaced has another schema; one whose replacement was asked for is used by a flow."""
        from .flow import flows_using

        return bool(observed["schema_id"] == wanted["schema_id"]) and not flows_using(object_id, runtime)

    def guard_use(self, object_id: str, runtime: Runtime) -> None:
        """Data Prep knows no flows (assumed). A flow that this run has changed or deleted is asked for by its id."""
        from .flow import flows_using

        if users := flows_using(object_id, runtime, now=True):
            raise DeletionProtected(
                f"MappingSet {object_id} was not deleted: flow {', '.join(users)} uses it. Let the flow use another "
                "one, or delete it first. After a run with --target or --target-replace, run pulumi up without it."
            )

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        """With names and descriptions, and the organization's namespace as a program may write it."""
        mappings = {}
        for there in item.get("mappings") or []:
            mapping = _from_line(line := line_of(there))
            first, dot, rest = mapping["destination"].partition(".")
            mapping["destination"] = f"{without_namespace(first, runtime)}{dot}{rest}"
            texts = {
                "name": there.get("name"),
                "description": split_owner_line(there.get("description"))["description"],
            }
            mappings[line] = mapping | {key: text for key, text in texts.items() if text}
        return {**self.observe(item, {}, runtime), "mappings": list(mappings.values())}

    def unmanaged_fields(self, item: Item, props: Props, runtime: Runtime) -> list[str]:
        mappings = item.get("mappings") or []
        found = [f"mappings.{key}" for key in _IDENTITY_KEYS if any(mapping.get(key) for mapping in mappings)]
        return [*found, *(["allowNullValues"] if item.get("allowNullValues") else [])]


def _own_fields(given: Any, runtime: Runtime) -> tuple[dict[str, XdmField] | None, bool]:
    """The fields of the field groups that the program manages, and whether these are all; None if not known."""
    if not isinstance(given, list):
        return None, False
    found: dict[str, XdmField] = {}
    for fields in filter(None, given):
        if contains_unknown(fields) or FieldGroup.kind.arguments.parse({"title": "-", "fields": fields})[1]:
            return None, False
        found |= xdm_fields({"properties": {f"_{runtime.tenant_id}": {"type": "object", "properties": fields}}})
    return found, None not in given


def _below_tenant(mappings: list[Any], runtime: Runtime) -> list[Any]:
    """The mappings, without the destinations that a class has: the program does not say those."""
    return [each if _is_below_tenant(each, runtime) else {} for each in mappings]


def _is_below_tenant(mapping: Any, runtime: Runtime) -> bool:
    destination = str(mapping.get("destination")) if isinstance(mapping, dict) else ""
    return destination.partition(".")[0] in (TENANT, f"_{runtime.tenant_id}")


def _doubled(mappings: list[Any], runtime: Runtime) -> list[str]:
    """Destinations that name one field twice: with the namespace, and with what stands for it in programs."""
    destinations = [str(each.get("destination")) for each in mappings if isinstance(each, dict)]
    below = {text.removeprefix(TENANT) for text in destinations if text.startswith(f"{TENANT}.")}
    parts = [text.partition(".") for text in destinations if text.startswith("_") and not text.startswith(TENANT)]
    return [
        f"mappings: {first}.{rest} and {TENANT}.{rest} are the same field; each destination may appear only once"
        for first, _, rest in parts
        if f".{rest}" in below and first == f"_{runtime.tenant_id}"
    ]


def _sorted(props: Props, runtime: Runtime) -> list[Any]:
    """The mappings as they are written; their order does not matter."""
    return sorted(([*_to_wire(mapping, runtime).items()] for mapping in props["mappings"]), key=str)


def _to_wire(mapping: Props, runtime: Runtime) -> Item:
    destination = with_namespace(mapping["destination"], runtime)
    texts = {key: mapping[key] for key in ("name", "description") if mapping.get(key)}
    return {"sourceType": mapping["source_type"], "source": mapping["source"], "destination": destination, **texts}


def line_of(mapping: Item) -> Line:
    """The line of a mapping in either generation of names, as written or as read back."""
    source_type = str(mapping.get("sourceType"))
    source = str(mapping.get("source") or mapping.get("sourceAttribute"))
    destination = str(mapping.get("destination") or mapping.get("destinationXdmPath"))
    return source, destination, _READ_TYPES.get(source_type, source_type)


def _from_line(line: Line) -> Props:
    return dict(zip(("source", "destination", "source_type"), line, strict=True))


def _with_texts(known: Props, there: Item) -> Props:
    """The program's mapping with the name and description that the service has, where the program gives them."""
    texts = {"name": there.get("name"), "description": there.get("description")}
    if texts["description"] != known.get("description"):
        texts["description"] = split_owner_line(texts["description"])["description"]
    given = {key: value for key, value in texts.items() if known.get(key)}
    return {key: value for key, value in {**known, **given}.items() if value is not None}


def _with_foreign_texts(mapping: Item, there: Item, before: Props) -> Item:
    """The mapping with what others said of it and the program never did."""
    foreign = {key: there[key] for key in _IDENTITY_KEYS if there.get(key)}
    if there.get("name") and not before.get("name"):
        foreign["name"] = there["name"]
    text, ours = split_owner_line(there.get("description"))["description"], split_owner_line(mapping.get("description"))
    if text and not before.get("description") and not ours["description"]:
        mapping = {**mapping, "description": with_owner_line({**ours, "description": text})}
    return {**foreign, **mapping}


class MappingSet(Resource, module="aep", name="MappingSet"):
    """How the source's fields become the schema's.

        mapping = aep.MappingSet(
            "mixpanel",
            schema_id=schema.id,
            mappings=[{"source": "properties.distinct_id", "destination": "_{tenantId}.distinct_id"}],
        )

    A change of the mappings makes the next `version`, to which the flow is then updated; another schema replaces it,
    the new one being made first. Where the service does not offer deletion, the set is left behind: it does nothing
    by itself. Source of the rules: Data Prep documentation; the tutorial's property table is of an older generation.
    """

    kind = MappingSetKind()

    schema_id: pulumi.Output[str]
    mappings: pulumi.Output[list[dict[str, Any]]]
    version: pulumi.Output[int]
    """0 at first; each change of the mappings adds 1."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[MappingSetArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
