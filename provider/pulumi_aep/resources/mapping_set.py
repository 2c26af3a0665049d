"""Mapping set: which source field goes to which field of the schema (Data Prep, `/mappingSets`)."""

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, Self, TypedDict, Unpack

import pulumi
from pydantic import AfterValidator, Field, model_validator

from ..engine.arguments import Arguments, Name, Part, SchemaId, described, fixed, state_of, undescribed
from ..engine.reconciler import Provider
from ..engine.resource import Claim, Resource
from ..engine.values import Props

if TYPE_CHECKING:
    from ..client.client import Collection
    from ..engine.runtime import Runtime

CONTENT_TYPE = "application/vnd.adobe.xed-full+json;version=1"
TENANT = "_{tenantId}"
LONGEST_EXPRESSION = 4096
_PATH_PART = r"(?:[A-Za-z$_][A-Za-z0-9$_]*|\$\{[^}]+\})(?:\[[0-9*]*\])?"
_SOURCE_PATH = re.compile(rf"{_PATH_PART}(?:\.{_PATH_PART})*")
_READ_TYPES = {"text/x.schema-path": "ATTRIBUTE", "text/x.aep-xl": "EXPRESSION", "text/x.static": "STATIC"}


_EXTRAS = ("identity", "primaryIdentity", "identityGroup", "namespaceCode")


class MappingPart(Part):
    """One line of the mapping set, in the newer of Data Prep's two generations of names."""

    source: Name
    destination: Name
    source_type: Literal["ATTRIBUTE", "EXPRESSION", "STATIC"] = "ATTRIBUTE"
    name: str | None = None
    description: str | None = None

    @model_validator(mode="after")
    def _type_fits(self) -> Self:
        """A source type that does not fit the text can make a mapping set uneditable (Adobe's warning)."""
        if self.source and self.source_type == "ATTRIBUTE" and not _SOURCE_PATH.fullmatch(self.source):
            raise ValueError(
                f"source: {self.source!r} is no field name; for an expression set source_type to 'EXPRESSION', "
                "and wrap a name with blanks or dots: ${First Name}"
            )
        if self.source and self.source_type == "EXPRESSION" and len(self.source) > LONGEST_EXPRESSION:
            raise ValueError(
                f"source: an expression may have {LONGEST_EXPRESSION} characters; it has {len(self.source)}"
            )
        return self


def _distinct(mappings: list[MappingPart]) -> list[MappingPart]:
    destinations = [mapping.destination for mapping in mappings if mapping.destination]
    doubled = sorted({name for name in destinations if destinations.count(name) > 1})
    if doubled:
        raise ValueError(f"each destination may occur once; {', '.join(doubled)} occurs more often")
    return mappings


class MappingSetArguments(Arguments):
    """The schema is fixed; a change of the mappings makes a new version of the set."""

    schema_id: SchemaId = fixed()
    mappings: Annotated[list[MappingPart], AfterValidator(_distinct)] = Field(
        min_length=1, json_schema_extra={"change": "change in place"}
    )


class MappingSetProvider(Provider):
    """Mapping sets ↔ Data Prep. Made before the old one goes: a flow must never run without its mapping.

    A mapping set has no description; the owner's line stands in that of its first mapping.
    """

    arguments = MappingSetArguments
    outputs = ("version",)
    delete_before_replace = False

    def collection(self, runtime: "Runtime") -> "Collection":
        return runtime.client.data_prep.mapping_sets

    def to_wire(self, props: Props, runtime: "Runtime") -> dict[str, Any]:
        mappings = [_to_wire(mapping, runtime) for mapping in props["mappings"]]
        if props.get("owner"):
            mappings[0]["description"] = described({**props["mappings"][0], "owner": props["owner"]})
        return {
            "outputSchema": {"schemaRef": {"id": props["schema_id"], "contentType": CONTENT_TYPE}},
            "mappings": mappings,
        }

    def from_wire(self, item: dict[str, Any], state: Props, runtime: "Runtime") -> Props:
        """A line is known by source, destination and type; the order is the program's as far as it goes."""
        known = {line_of(_to_wire(mapping, runtime)): mapping for mapping in state.get("mappings") or []}
        seen = {line_of(mapping): mapping for mapping in item.get("mappings") or []}
        kept = [_with_texts(mapping, seen[identity]) for identity, mapping in known.items() if identity in seen]
        foreign = [_from_identity(identity) for identity in seen if identity not in known]
        output = item.get("outputSchema") or {}
        schema_id = (output.get("schemaRef") or {}).get("id") or output.get("id") or item.get("xdmSchema")
        owner, ours = owner_of(item), state.get("owner")
        owner = ours if ours and (owner is None or state_of(owner) == state_of(ours)) else owner
        return {"schema_id": schema_id, "mappings": kept + foreign, "owner": owner}

    def to_program_args(self, item: dict[str, Any], runtime: "Runtime") -> Props:
        """With the lines' names and descriptions, and the organization's namespace as a program may write it."""
        namespace, lines = f"_{runtime.tenant_id}", {}
        for mapping in item.get("mappings") or []:
            line = _from_identity(identity := line_of(mapping))
            first, dot, rest = line["destination"].partition(".")
            line["destination"] = f"{TENANT}{dot}{rest}" if first == namespace else line["destination"]
            texts = {"name": mapping.get("name"), "description": undescribed(mapping.get("description"))["description"]}
            lines[identity] = line | {key: text for key, text in texts.items() if text}
        return {**super().to_program_args(item, runtime), "mappings": list(lines.values())}

    def unmanaged_fields(self, item: dict[str, Any], props: Props, runtime: "Runtime") -> list[str]:
        of_lines = ("identity", "primaryIdentity", "identityGroup", "namespaceCode")
        said = [f"mappings.{key}" for key in of_lines if any(line.get(key) for line in item.get("mappings") or [])]
        return [*said, *(["allowNullValues"] if item.get("allowNullValues") else [])]

    def build_update(self, old: Props, new: Props, runtime: "Runtime") -> dict[str, Any] | None:
        """A new version for other mappings, or another stack; not for another name of the resource."""
        same = old["mappings"] == new["mappings"] or _sorted(old, runtime) == _sorted(new, runtime)
        return None if same and state_of(old.get("owner")) == state_of(new.get("owner")) else self.to_wire(new, runtime)

    def is_orphan_of(self, object_id: str, seen: Props, new: Props, runtime: "Runtime") -> bool:
        """What is replaced has another schema; what is made anew on demand is used by a flow. Neither was left."""
        from .flow import flows_of

        return bool(seen["schema_id"] == new["schema_id"]) and not flows_of(object_id, runtime)

    def rebase_update(
        self, change: dict[str, Any], item: dict[str, Any], old: Props, runtime: "Runtime"
    ) -> dict[str, Any]:
        """A set is written as a whole: what others said of it, and of lines that stay, is said again."""
        before = {line_of(_to_wire(mapping, runtime)): mapping for mapping in old["mappings"]}
        seen = {line_of(mapping): mapping for mapping in item.get("mappings") or []}
        lines = [
            _with_theirs(line, seen.get(line_of(line), {}), before.get(line_of(line), {}))
            for line in change["mappings"]
        ]
        kept = {key: item[key] for key in ("name", "allowNullValues") if item.get(key)}
        return {**kept, **change, "mappings": lines}

    def computed_outputs(self, answer: dict[str, Any], runtime: "Runtime") -> Props:
        return {"version": int(answer["version"])}


def owner_of(item: dict[str, Any]) -> str | None:
    """The owner that stands in the description of one of the mappings."""
    owners = [undescribed(mapping.get("description"))["owner"] for mapping in item.get("mappings") or []]
    return next((text for text in owners if text), None)


def _sorted(props: Props, runtime: "Runtime") -> list[Any]:
    """The lines as they are written; their order means nothing."""
    return sorted(([*_to_wire(mapping, runtime).items()] for mapping in props["mappings"]), key=str)


def _to_wire(mapping: Props, runtime: "Runtime") -> dict[str, Any]:
    destination = mapping["destination"]
    if TENANT in str(destination):
        destination = destination.replace(TENANT, f"_{runtime.tenant_id}")
    optional = {key: mapping[key] for key in ("name", "description") if mapping.get(key)}
    return {"sourceType": mapping["source_type"], "source": mapping["source"], "destination": destination, **optional}


def line_of(mapping: dict[str, Any]) -> tuple[str, str, str]:
    """(source, destination, type) of either generation of names, as written or as read back."""
    source_type = str(mapping.get("sourceType"))
    source = str(mapping.get("source") or mapping.get("sourceAttribute"))
    destination = str(mapping.get("destination") or mapping.get("destinationXdmPath"))
    return source, destination, _READ_TYPES.get(source_type, source_type)


def _with_texts(known: Props, seen: dict[str, Any]) -> Props:
    """The line with the name and description that the service has, where the program gives them."""
    texts = {"name": seen.get("name"), "description": seen.get("description")}
    if texts["description"] != known.get("description"):
        texts["description"] = undescribed(texts["description"])["description"]
    given = {key: value for key, value in texts.items() if known.get(key)}
    return {key: value for key, value in {**known, **given}.items() if value is not None}


def _with_theirs(line: dict[str, Any], seen: dict[str, Any], before: Props) -> dict[str, Any]:
    """The line with what others said of it and the program never did."""
    theirs = {key: seen[key] for key in _EXTRAS if seen.get(key)}
    if seen.get("name") and not before.get("name"):
        theirs["name"] = seen["name"]
    text, ours = undescribed(seen.get("description"))["description"], undescribed(line.get("description"))
    if text and not before.get("description") and not ours["description"]:
        line = {**line, "description": described({**ours, "description": text})}
    return {**theirs, **line}


def _from_identity(identity: tuple[str, str, str]) -> Props:
    return dict(zip(("source", "destination", "source_type"), identity, strict=True))


class Mapping(TypedDict):
    """`source` goes to `destination`.

    `source_type`: ATTRIBUTE (a field of the source; the default), EXPRESSION, or STATIC. `destination`: a dotted path
    of the schema; `_{tenantId}` in it stands for the organization's own namespace.
    """

    source: pulumi.Input[str]
    destination: pulumi.Input[str]
    source_type: NotRequired[pulumi.Input[str]]
    name: NotRequired[pulumi.Input[str]]
    description: NotRequired[pulumi.Input[str]]


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

    provider = MappingSetProvider

    schema_id: pulumi.Output[str]
    mappings: pulumi.Output[list[dict[str, Any]]]
    version: pulumi.Output[int]

    def __init__(
        self,
        resource_name: str,
        *,
        schema_id: pulumi.Input[str],
        mappings: pulumi.Input[list[Mapping]],
        opts: pulumi.ResourceOptions | None = None,
        **claim: Unpack[Claim],
    ) -> None:
        """
        :param schema_id: `$id` of the schema, the same as that of the target dataset.
        :param mappings: at least one line, each destination once.
        """
        super().__init__(resource_name, {"schema_id": schema_id, "mappings": mappings}, opts, **claim)
