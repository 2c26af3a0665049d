"""Flow: from a source connection through a mapping to a target connection (Flow Service, `/flows`)."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.base_connection import UNKNOWN_SPEC
from kinds.description import (
    DESCRIBED,
    LATER,
    MISSING,
    Bad,
    Closed,
    Description,
    Ids,
    Others,
    Props,
    Round,
    Seen,
    text_rounds,
    texts,
)
from kinds.source_connection import NOT_PATCHED
from pulumi_aep import FlowSpec
from support.outside import GONE, action, flow_service, new_mapping_version, remap
from support.strategies import NAMES, arguments_of, spec

patch = flow_service("flows")
OTHER = "993f908f-3342-4d9c-9f3c-5aa9a189ca1a"
SPEC = frozenset({"GET flowSpecs"})
SCHEDULE = {"start_time": LATER, "frequency": "hour", "interval": 2, "backfill": False}


def mapping(version: Any) -> list[Props]:
    return [{"name": "Mapping", "params": {"mappingId": "${mapping.id}", "mappingVersion": version}}]


def badly_scheduled(message: str, remedy: str = "", **schedule: Any) -> Bad:
    return Bad("schedule", schedule, message, remedy)


def schedules() -> SearchStrategy[Props]:
    start = st.integers(0, 99_999_999_999)
    moments = st.datetimes(timezones=st.timezones()).filter(_has_whole_minutes).map(lambda moment: moment.isoformat())
    starts = start | start.map(str) | moments
    once = st.fixed_dictionaries({"frequency": st.just("once")}, optional={"start_time": starts})
    minutes = {"frequency": st.just("minute"), "interval": st.integers(15, 2000)}
    others = {"frequency": st.sampled_from(["hour", "day", "week"]), "interval": st.integers(1, 2000)}
    more = {"start_time": starts, "backfill": st.booleans()}
    return once | st.fixed_dictionaries(minutes, optional=more) | st.fixed_dictionaries(others, optional=more)


def _has_whole_minutes(moment: Any) -> bool:
    return 1970 < moment.year < 5000 and bool(moment.utcoffset().seconds % 60 == 0)


def strategies(ids: Ids) -> SearchStrategy[Props]:
    versions = st.sampled_from([0, "0"])
    params = st.fixed_dictionaries({"mappingId": st.just(ids["mapping.id"])}, optional={"mappingVersion": versions})
    transformation = st.fixed_dictionaries({"name": st.just("Mapping"), "params": params})
    options = {"error_diagnostics_enabled": st.booleans(), "partial_ingestion_percent": st.integers(1, 100)}
    found = arguments_of(
        "Flow",
        flow_spec=spec(FlowSpec.REST_STORAGE_TO_AEP),
        source_connection_id=st.just(ids["source.id"]),
        target_connection_id=st.just(ids["target.id"]),
        transformations=st.lists(transformation, max_size=1),
        schedule=schedules(),
        options=st.none() | st.fixed_dictionaries({}, optional=options),
        draft=st.just(False),  # batch flow specs have none
        labels=st.none() | st.lists(NAMES, max_size=3, unique=True),
    )
    return st.tuples(found, schedules()).map(lambda both: {"schedule": both[1], **both[0]})  # batch flows need one


DESCRIPTION = Description(
    kind="Flow",
    key="flow",
    an_id="ef8db14a-f5d5-4f7e-8f43-855ae7b305fa",
    collection="flows",
    natural_key="name",
    arguments={
        "name": "web",
        "flow_spec": FlowSpec.REST_STORAGE_TO_AEP,
        "source_connection_id": "${source.id}",
        "target_connection_id": "${target.id}",
        "transformations": mapping("${mapping.version}"),
        "schedule": {"frequency": "minute", "interval": 15},
    },
    more={
        "description": DESCRIBED,
        "flow_spec": {"id": FlowSpec.REST_STORAGE_TO_AEP, "version": "1.0"},
        "schedule": SCHEDULE,
        "options": {"error_diagnostics_enabled": True, "partial_ingestion_percent": 5},
        "enabled": True,
        "draft": False,
        "labels": ["core/C12"],
    },
    bad=(
        Bad("source_connection_id", MISSING, "source_connection_id: is required"),
        Bad("flow_spec", {"version": "1.0"}, "flow_spec.id: is required"),
        badly_scheduled(
            "schedule: interval must be at least 15 when frequency is 'minute'", frequency="minute", interval=5.0
        ),
        badly_scheduled("interval must be at least 1 when frequency is 'hour'", frequency="hour", interval=0.0),
        badly_scheduled("interval must be left out when frequency is 'once'", frequency="once", interval=15.0),
        badly_scheduled("backfill must be left out when frequency is 'once'", frequency="once", backfill=True),
        badly_scheduled("interval is required when frequency is 'day'", frequency="day"),
        badly_scheduled(
            "schedule.frequency: must be 'once', 'minute', 'hour', 'day' or 'week'", frequency="hourly", interval=1.0
        ),
        badly_scheduled("schedule.interval: must be a whole number", frequency="day", interval=1.5),
        badly_scheduled("schedule.interval: must be a whole number", frequency="day", interval=True),
        badly_scheduled("schedule.interval: must be less than or equal to 100000", frequency="day", interval=1e300),
        badly_scheduled("schedule.interval: must be less than", frequency="day", interval=float(10**30)),
        badly_scheduled("schedule.start_time: must be epoch seconds", frequency="day", interval=1.0, start_time=True),
        badly_scheduled("schedule.start_time: must be epoch", frequency="day", interval=1.0, start_time="١٢٣"),
        badly_scheduled(
            "schedule.start_time: must be epoch seconds",
            "looks like milliseconds",
            frequency="day",
            interval=1.0,
            start_time=1625040887000.0,
        ),
        badly_scheduled("schedule.start_time: must be epoch", frequency="day", interval=1.0, start_time="tomorrow"),
        badly_scheduled(
            "schedule.start_time: must say its time zone",
            "like 2026-01-31T06:00:00Z",
            frequency="day",
            interval=1.0,
            start_time="2026-01-01T00:00:00",
        ),
        badly_scheduled("schedule.every: is not a known key", frequency="day", interval=1.0, every=1.0),
        Bad(
            "transformations",
            [{"name": "mapping", "params": {}}],
            "transformations[0].name: must be 'Mapping', 'Copy' or 'Encryption'",
        ),
        Bad(
            "transformations",
            [{"name": "Mapping", "params": {"mappingId": "web"}}],
            "transformations[0]: params.mappingId must be a mapping set id of 32 hexadecimal digits",
        ),
        Bad(
            "transformations",
            [{"name": "Mapping", "params": {"mappingId": "é" * 32}}],
            "params.mappingId must be a mapping set id of 32 hexadecimal digits",
        ),
        Bad(
            "transformations",
            [{"name": "Mapping", "params": {"mappingId": "a" * 32, "mappingVersion": True}}],
            "params.mappingVersion must be a whole number",
        ),
        Bad(
            "options",
            {"partial_ingestion_percent": 150.0},
            "options.partial_ingestion_percent: must be less than or equal to 100",
        ),
        Bad("enabled", "perhaps", "enabled: must be true or false"),
        Bad("draft", "perhaps", "draft: must be true or false"),
        Bad("labels", ["core/C1", "core/C1"], "labels: each label may appear only once; repeated: core/C1"),
        Bad("labels", [" "], "labels[0]: must not be empty"),
        Bad("labels", "core/C1", "labels: must be a list"),
        Bad("state", "enabled", "state: is not a known key"),
    ),
    bad_online=(
        Bad(
            "flow_spec",
            {"id": FlowSpec.REST_STORAGE_TO_AEP, "version": "9"},
            "flow_spec.version: this spec has version 1.0; got '9'",
        ),
        Bad("transformations", [{"name": [], "params": {}}], "transformations[0].name: must be 'Mapping'"),
        Bad("flow_spec", UNKNOWN_SPEC, f"flow_spec: this organization has no spec '{UNKNOWN_SPEC}'"),
        Bad(
            "transformations",
            [{"name": "Encryption", "params": {"publicKeyId": OTHER}}],
            f"transformations[0].params.publicKeyId: no encryption key {OTHER} in this sandbox",
        ),
        Bad("draft", True, "draft: flow spec RestStorageToAEP has no drafts: leave draft out", "enabled=False"),
        Bad(
            "flow_spec",
            FlowSpec.CRM_TO_AEP,
            "flow_spec: flow spec CRMToAEP does not take Mixpanel",
            f"leave flow_spec out, or take RestStorageToAEP ({FlowSpec.REST_STORAGE_TO_AEP})",
        ),
        Bad("source_connection_id", OTHER, f"source_connection_id: no source connection {OTHER} in this sandbox"),
        Bad("target_connection_id", OTHER, f"target_connection_id: no target connection {OTHER} in this sandbox"),
        Bad(
            "transformations",
            [{"name": "Mapping", "params": {"mappingId": "${other_mapping.id}"}}],
            "transformations[0].params.mappingId: the mapping set is for schema https://",
            "both must have the same",
        ),
        Bad(
            "transformations",
            [{"name": "Mapping", "params": {"mappingId": "0" * 32}}],
            f"transformations[0].params.mappingId: no mapping set {'0' * 32} in this sandbox",
        ),
        Bad("schedule", MISSING, "schedule: is required by flow spec RestStorageToAEP", "'frequency':"),
        Bad(
            "transformations",
            [{"name": "Copy", "params": {"deltaColumn": {"name": "updated"}}}],
            "transformations[0].name: flow spec RestStorageToAEP has no 'Copy', which delta_column of a Source needs; "
            "it has 'Mapping'",
        ),
    ),
    in_place=(
        *text_rounds("PATCH flows"),
        Round({"enabled": False}, ("POST flows/action",)),
        Round({"schedule": {**SCHEDULE, "frequency": "day", "interval": 3}}, ("PATCH flows",), SPEC),
        Round({"schedule": {**SCHEDULE, "start_time": LATER + 60}}, ("PATCH flows",), SPEC),
        Round({"labels": ["core/C2", "core/C1"]}, ("PATCH flows",), frozenset({"GET flows"})),
        Round({"labels": []}, ("PATCH flows",)),
        Round({"transformations": mapping(1)}, ("PATCH flows",), SPEC, before=new_mapping_version),
    ),
    changed_elsewhere=frozenset({"draft"}),
    replaced=(
        ("source_connection_id", OTHER),
        ("target_connection_id", OTHER),
        ("flow_spec", FlowSpec.CRM_TO_AEP),
        ("options", {"partial_ingestion_percent": 7}),
        ("schedule", {"frequency": "once", "start_time": LATER}),
        ("schedule", {**SCHEDULE, "backfill": True}),
        ("transformations", []),
    ),
    outside={
        **texts(patch),
        "flow_spec.id": NOT_PATCHED,
        "flow_spec.version": NOT_PATCHED,
        "source_connection_id": NOT_PATCHED,
        "target_connection_id": NOT_PATCHED,
        "transformations[]": NOT_PATCHED,
        "transformations[].name": Closed("flow specs for generic REST sources have the transformation Mapping alone"),
        "transformations[].params": [Seen(remap)],
        "schedule.start_time": [Seen(patch(("replace", "/scheduleParams/startTime", LATER + 60)))],
        "schedule.frequency": [Seen(patch(("replace", "/scheduleParams/frequency", "day")))],
        "schedule.interval": [Seen(patch(("replace", "/scheduleParams/interval", 3)))],
        "schedule.backfill": NOT_PATCHED,
        "options.error_diagnostics_enabled": NOT_PATCHED,
        "options.partial_ingestion_percent": NOT_PATCHED,
        "enabled": [Seen(action("disable"))],
        "draft": Closed("a published flow never becomes a draft again"),
        "labels": [Seen(patch(("add", "/labels", ["core/C9"]))), Seen(patch(("remove", "/labels", GONE)))],
    },
    unmanaged=(action("enable"),),
    same_as_first_round=patch(("replace", "/name", "renamed")),
    others=Others(
        lambda number: patch(("add", "/labels", [f"core/C{number}"])),
        lambda item, number: item["labels"] == [f"core/C{number}"],
        left_out=("labels",),
    ),
    after_creation=("PATCH flows",),
    on_the_wire={"labels": "labels"},
    not_representable=(
        ({"sourceConnectionIds": ["a", "b"]}, "it has 2 source connections, not one"),
        ({"targetConnectionIds": []}, "it has 0 target connections, not one"),
        (
            {"inheritedAttributes": {"targetConnections": [{"id": "a", "connectionSpec": {"id": "b"}}]}},
            "it does not end in the data lake",
        ),
    ),
    not_exported=(
        ({"options": {"errorDiagnosticsEnabled": True, "other": 1}}, ["options.other"]),
        ({"policy": {"enforcementRefs": []}}, ["policy"]),
    ),
    strategies=strategies,
)
