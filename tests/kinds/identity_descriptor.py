"""Identity descriptor: which field identifies a person (Schema Registry, `/tenant/descriptors`)."""

from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.description import MISSING, Bad, Closed, Description, Ids, Props, Round, Seen
from kinds.target_connection import OTHER_SCHEMA
from support.emulator import REGISTRY
from support.outside import OTHER_RECORD, Act, Where
from support.strategies import arguments_of

NO_LINE = Closed("it has no place for an owner line")
KEY = Closed("it is the natural key: another one is another descriptor, which the provider replaces")


def rewritten(**changes: Any) -> Act:
    """A PUT of the whole descriptor with other values."""

    def act(where: Where) -> None:
        path = f"{REGISTRY}/tenant/descriptors/{quote(where.id, safe='')}"
        item = where.emulator.request("GET", path).json()
        body = {key: item[key] for key in item if key.startswith("xdm:") or key == "@type"}
        body |= {f"xdm:{key}": value for key, value in changes.items()}
        where.emulator.request("PUT", path, body).raise_for_status()

    return act


def strategies(ids: Ids) -> SearchStrategy[Props]:
    return arguments_of(
        "IdentityDescriptor",
        schema_id=st.just(ids["schema.id"]),
        source_property=st.sampled_from(["/_{tenantId}/distinct_id", "/_id"]),
    )


DESCRIPTION = Description(
    kind="IdentityDescriptor",
    key="identity",
    an_id="a0b568751181fbf9cda24f205bc3bac75f75a860",
    collection="descriptors",
    arguments={"schema_id": "${schema.id}", "source_property": "/_{tenantId}/distinct_id", "namespace": "Email"},
    more={"is_primary": True},
    bad=(
        Bad("schema_id", MISSING, "schema_id: is required"),
        Bad("source_property", "email", "source_property: must be a path like /_{tenantId}/email"),
        Bad("source_property", "/a/properties/b", "source_property: must be a path like /_{tenantId}/email"),
        Bad("source_property", "/_acme/email", "source_property: must write _{tenantId} for your organization's"),
        Bad("namespace", " ", "namespace: must not be empty"),
    ),
    bad_online=(Bad("schema_id", OTHER_SCHEMA, f"schema_id: no schema {OTHER_SCHEMA} in this sandbox"),),
    in_place=(
        Round({"namespace": "ECID"}, ("PUT descriptors",)),
        Round({"is_primary": False}, ("PUT descriptors",)),
        Round({"owner": OTHER_RECORD}, ()),
    ),
    replaced=(("schema_id", OTHER_SCHEMA), ("source_property", "/_id")),
    reads_before_update=frozenset({"GET descriptors", "GET stats"}),
    outside={
        "schema_id": KEY,
        "source_property": KEY,
        "namespace": [Seen(rewritten(namespace="Phone"))],
        "is_primary": [Seen(rewritten(isPrimary=False))],
        "owner": NO_LINE,
    },
    same_as_first_round=rewritten(namespace="ECID"),
    not_representable=(({"xdm:property": "xdm:id"}, "it names its namespace by id, not by code"),),
    strategies=strategies,
)
