"""BaseConnection: credentials for one source (Flow Service, `/connections`)."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.description import (
    DESCRIBED,
    MISSING,
    SECRET,
    Bad,
    Closed,
    Description,
    Ids,
    Props,
    Round,
    Seen,
    text_rounds,
    texts,
)
from pulumi_aep import ConnectionSpec
from pulumi_aep.emulator.flow_service import specs as catalog_of_specs
from support.outside import GONE, flow_service
from support.strategies import arguments_of, parameters, spec

patch = flow_service("connections")
SPEC_FIXED = Closed("the service refuses to change the spec of an object (FLOW-1414)")
UNKNOWN_SPEC = "70383d02-2777-4be7-a309-9dd6eea1b46d"


def basic(**params: Any) -> Props:
    return {"spec_name": "Basic Authentication", "params": params}


HOST = "https://data.mixpanel.com"
PARAMS = {"username": "shop", "password": SECRET}
S3_KEYS = {"s3AccessKey": SECRET, "s3SecretKey": SECRET}
OAUTH = {"spec_name": "OAuth2 Refresh Code", "params": {"subdomain": "shop", "accessToken": SECRET}}


@st.composite
def strategy(draw: st.DrawFn) -> Props:
    """Any source of the emulator, in any way that it authenticates."""
    sources = [spec for spec in catalog_of_specs.CONNECTION_SPECS.values() if spec["attributes"]["isSource"]]
    source = draw(st.sampled_from(sources))
    auth: SearchStrategy[Any] = st.none()
    if source["authSpec"]:
        way = draw(st.sampled_from(source["authSpec"]))
        auth = st.fixed_dictionaries({"spec_name": st.just(way["name"]), "params": parameters(way["spec"])})
    made = draw(arguments_of("BaseConnection", connection_spec=spec(source["id"]), auth=auth))
    return {"auth": draw(auth), **made}


def strategies(ids: Ids) -> SearchStrategy[Props]:
    return strategy()


DESCRIPTION = Description(
    kind="BaseConnection",
    key="base",
    an_id="70383d02-2777-4be7-a309-9dd6eea1b46d",
    collection="connections",
    natural_key="name",
    arguments={"name": "web", "connection_spec": ConnectionSpec.MIXPANEL, "auth": basic(**PARAMS)},
    more={
        "description": DESCRIBED,
        "connection_spec": {"id": ConnectionSpec.MIXPANEL, "version": "1.0"},
        "auth": basic(host=HOST, **PARAMS),
    },
    options={"test": "warn"},
    bad=(
        Bad("name", "", "name: must not be empty"),
        Bad("name", "Shop\0", "name: must not contain line breaks, tabs or other control characters"),
        Bad("name", "Shop\nEU", "name: must not contain line breaks, tabs or other control characters"),
        Bad("name", 12.0, "name: must be text", "put the value in quotes"),
        Bad("connection_spec", "mixpanel", "connection_spec.id: must be an id like 70383d02"),
        Bad("connection_spec", {"version": "1.0"}, "connection_spec.id: is required"),
        Bad("connection_spec", {"id": ConnectionSpec.MIXPANEL, "release": "1"}, "known keys are id, version"),
        Bad("connection_spec", MISSING, "connection_spec: is required"),
        Bad("auth", {"params": PARAMS}, "auth.spec_name: is required"),
        Bad("auth", {"spec_name": "x", "params": SECRET}, "auth.params: must be an object with keys and values"),
        Bad("auth", {"spec_name": "x", "parameters": PARAMS}, "auth.parameters: is not a known key", "known keys are"),
        Bad("test", "perhaps", "test: must be 'off', 'warn' or 'strict'"),
    ),
    bad_online=(
        Bad(
            "connection_spec",
            {"id": ConnectionSpec.MIXPANEL, "version": "9"},
            "connection_spec.version: this spec has version 1.0; got '9'",
        ),
        Bad(
            "connection_spec",
            UNKNOWN_SPEC,
            f"connection_spec: this organization has no spec '{UNKNOWN_SPEC}'",
            "give the id of one, which pulumi-aep specs NAME shows",
        ),
        Bad(
            "auth",
            {"spec_name": "basic", "params": PARAMS},
            "auth.spec_name: Mixpanel has no 'basic'",
            "it has 'Basic Authentication'",
        ),
        Bad("auth", {"spec_name": [], "params": PARAMS}, "auth.spec_name: must be text"),
        Bad("auth", basic(username="shop"), "auth.params.password: is required by 'Basic Authentication'"),
        Bad(
            "auth",
            basic(**PARAMS, passwort=SECRET),
            "auth.params.passwort: is not a parameter of 'Basic Authentication'",
            "it takes host, password, username",
        ),
        Bad("auth", basic(username="shop", password=[SECRET]), "auth.params.password: must be of type string"),
    ),
    in_place=(
        *text_rounds("PATCH connections"),
        Round(
            {"auth": basic(host=HOST, username="shop", password="canary-second")},
            ("PATCH connections",),
            reads=frozenset({"GET connectionSpecs"}),
        ),
    ),
    replaced=(("connection_spec", ConnectionSpec.ZENDESK), ("auth", OAUTH)),
    outside={
        **texts(patch),
        "connection_spec.id": SPEC_FIXED,
        "connection_spec.version": SPEC_FIXED,
        "auth.spec_name": Closed("no PATCH of the service reaches it"),
        "auth.params": [
            Seen(patch(("replace", "/auth/params/username", "by hand"))),
            Seen(patch(("replace", "/auth/params/host", "https://elsewhere.example"))),
            Seen(patch(("remove", "/auth/params/host", GONE))),
        ],
    },
    unmanaged=(patch(("replace", "/auth/params/password", "somebody-else's")),),
    same_as_first_round=patch(("replace", "/name", "renamed")),
    not_representable=(({"state": "draft"}, "it is a draft: publish it first"),),
    not_exported=(({"data": None}, []),),
    strategies=strategies,
)
