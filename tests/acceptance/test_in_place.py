"""Every field that changes in place: an update in the preview and no replacement anywhere, then the documented calls.

One round changes fields of many kinds at once. A field that a model has and no round changes fails the test.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from acceptance.support import Chain, reads, writes
from pulumi_aep.resources import KINDS
from support.emulator import FLOW, Emulator

LATER = 4_000_000_000
PATCHES = {
    "BaseConnection": "PATCH connections",
    "SourceConnection": "PATCH sourceConnections",
    "TargetConnection": "PATCH targetConnections",
    "Flow": "PATCH flows",
    "Dataset": "PATCH dataSets",
    "FieldGroup": "PATCH fieldgroups",
    "Schema": "PATCH schemas",
    "MappingSet": "PUT mappingSets",
}


LOOKS = {
    "Dataset": {"GET dataSets"},
    "FieldGroup": {"GET fieldgroups", "GET stats"},
    "Schema": {"GET schemas"},
    "MappingSet": {"GET mappingSets", "GET stats"},
}
"""What has no etag in the state is looked at before it is changed."""


class Round(NamedTuple):
    """`fields` are what it changes by kind, `values` how, `calls` the expected writes of Flow and MappingSet.

    Every other kind that is changed makes one PATCH. `reads` come on top of LOOKS.
    """

    fields: dict[str, set[str]]
    values: dict[str, Any]
    flow_calls: tuple[str, ...] = ("PATCH flows",)
    reads: frozenset[str] = frozenset()


def _simple(values: dict[str, Any], **options: Any) -> Round:
    return Round({kind: set(changes) for kind, changes in values.items()}, values, **options)


def _auth(**params: str) -> dict[str, Any]:
    return {"spec_name": "Basic Authentication", "params": params}


TEXTS = ("BaseConnection", "SourceConnection", "TargetConnection", "FieldGroup", "Schema", "Dataset")
ROUNDS = {
    "texts and identity": [
        _simple(
            {
                "BaseConnection": {"name": "base 2"},
                "SourceConnection": {"name": "source 2"},
                "TargetConnection": {"name": "target 2"},
                "FieldGroup": {"title": "group 2"},
                "Schema": {"title": "schema 2"},
                "Dataset": {"name": "dataset 2"},
                "Flow": {"enabled": False},
            },
            flow_calls=("POST flows/action",),
        ),
        _simple({**{kind: {"description": f"{kind} described"} for kind in TEXTS}, "Flow": {"name": "flow 2"}}),
        # All are renamed in the program, with aliases: their owner line changes. A mapping set has no place for one.
        Round({resource.__name__: {"owner"} for resource in KINDS}, {"suffix": "-shop"}),
    ],
    "content": [
        Round(
            {
                "BaseConnection": {"auth"},
                "FieldGroup": {"fields"},
                "Schema": {"field_group_ids"},
                "Dataset": {"tags"},
                "Flow": {"schedule"},
            },
            {
                "BaseConnection": {"auth": _auth(username="shop 2", password="second-password")},
                "FieldGroup": {"fields": {"item": {"type": "string"}, "price": {"type": "number"}}},
                "both_groups": True,
                "Dataset": {"tags": {"team": ["shop", "web"]}},
                "Flow": {"schedule": {"frequency": "day", "interval": 2, "start_time": LATER + 60}},
            },
            # New credentials are tested.
            reads=frozenset({"GET connectionSpecs", "GET connections"}),
        ),
        Round(
            {"MappingSet": {"mappings"}, "Flow": {"transformations"}},
            {
                "MappingSet": {
                    "mappings": [
                        {"source": "properties.item", "destination": "_{tenantId}.item"},
                        {"source": "properties.price", "destination": "_{tenantId}.price"},
                    ]
                }
            },
            flow_calls=("PUT mappingSets", "PATCH flows"),
        ),
        _simple({"Flow": {"description": "Flow described"}}),
    ],
}


def test_every_field_has_a_round() -> None:
    changed: dict[str, set[str]] = {}
    for rounds in ROUNDS.values():
        for a_round in rounds:
            for kind, fields in a_round.fields.items():
                changed.setdefault(kind, set()).update(fields)
    in_place = {resource.__name__: resource.provider.arguments.fields_that("change in place") for resource in KINDS}
    assert changed == in_place


def expected_writes(changed: list[str], flow_calls: tuple[str, ...]) -> Counter[str]:
    others = [name.split()[0] for name in changed if name.split()[0] not in ("Flow", "MappingSet")]
    return Counter([*(PATCHES[kind] for kind in others), *flow_calls])


@pytest.mark.parametrize("group", ROUNDS)
def test_in_place(group: str, chain: Callable[..., Chain], emulator: Emulator) -> None:
    schedule = {"frequency": "minute", "interval": 15, "start_time": LATER}
    stack = chain({"BaseConnection": {"test": "strict"}, "Flow": {"schedule": schedule}})
    stack.up()
    ids = _ids(emulator)
    for fields, values, flow_calls, looked_up in ROUNDS[group]:
        stack.change(values)
        changes = stack.preview().changes
        assert set(changes.values()) == {"update"}, changes
        assert {name.split()[0] for name in changes} == set(fields)
        emulator.clear_journal()
        stack.up()
        assert Counter(writes(emulator)) == expected_writes(list(changes), flow_calls)
        assert set(reads(emulator)) <= looked_up.union(*(LOOKS.get(kind, set()) for kind in fields))
        assert stack.preview().changes == {}
    assert _ids(emulator) == ids
    _ARRIVED[group](emulator)


def _ids(emulator: Emulator) -> dict[str, set[str]]:
    return {kind: {item["id"] for item in items} for kind, items in emulator.objects().items()}


def _texts_arrived(emulator: Emulator) -> None:
    objects = emulator.objects()
    found = {kind: {item["name"] for item in items} for kind, items in objects.items()}
    assert found == {
        "BaseConnection": {"base 2"},
        "SourceConnection": {"source 2"},
        "TargetConnection": {"target 2"},
        "FieldGroup": {"group 2", "more"},
        "Schema": {"schema 2"},
        "Dataset": {"dataset 2"},
        "Flow": {"flow 2"},
        "MappingSet": {""},
    }
    for kind in TEXTS:
        texts = [item["description"].split("\n") for item in objects[kind] if item["name"] != "more"]
        assert [text[0] for text in texts] == [f"{kind} described"]
        assert texts[0][1].startswith("[pulumi: shop/dev/web-shop#")
    assert objects["Flow"][0]["state"] == "disabled"


def _content_arrived(emulator: Emulator) -> None:
    objects = emulator.objects()
    base = emulator.request("GET", f"{FLOW}/connections/{objects['BaseConnection'][0]['id']}").json()["items"][0]
    assert base["auth"] == _auth_on_the_wire("shop 2")
    group = next(item for item in objects["FieldGroup"] if item["title"] == "web fields")
    fields = group["definitions"]["customFields"]["properties"]["_emulator"]["properties"]
    assert {name: field["type"] for name, field in fields.items()} == {"item": "string", "price": "number"}
    assert len(objects["Schema"][0]["allOf"]) == 3
    assert objects["Dataset"][0]["tags"] == {"team": ["shop", "web"]}
    mapping, flow = objects["MappingSet"][0], objects["Flow"][0]
    assert mapping["version"] == 1
    assert {line["destination"] for line in mapping["mappings"]} == {"_emulator.item", "_emulator.price"}
    assert flow["transformations"][0]["params"] == {"mappingId": mapping["id"], "mappingVersion": "1"}
    assert flow["description"].startswith("Flow described\n[pulumi: shop/dev/web#")
    wanted = {"startTime": str(LATER + 60), "frequency": "day", "interval": "2"}
    assert flow["scheduleParams"].items() >= wanted.items()


def _auth_on_the_wire(username: str) -> dict[str, Any]:
    return {"specName": "Basic Authentication", "params": {"username": username, "password": "xxxx"}}


_ARRIVED = {"texts and identity": _texts_arrived, "content": _content_arrived}
