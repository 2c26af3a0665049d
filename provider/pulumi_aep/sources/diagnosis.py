"""Why a flow run failed or lost records: field, cause, number of records, mapping line, and what to do about it.

The service's own errors are codes. The reasons are in the files that it keeps about the records that failed (docs
ingestion/quality/error-diagnostics); values of records are never shown.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from shlex import quote
from typing import TYPE_CHECKING, Any

from ..errors import RUN_ERRORS, ServiceError
from .flow_runs import FlowRun, RunError, schedule_text

if TYPE_CHECKING:
    from ..client.client import Client

Item = dict[str, Any]
LONGEST_SOURCE = 60
FIELD_ERRORS = {"INGEST-1212-400", "MAPPER-3700-400", "INGEST-1555-400"}
"""What the service reports of records that failed; the files about them say more."""

_EMPTY = "required, but empty"
_CONVERSION = re.compile(r"[Cc]annot convert (?:array element from )?\S+ to (\w+)")
_NOT = dict.fromkeys(
    ("byte", "short", "integer", "int", "long", "float", "double", "number", "decimal"), "not a number"
)
_NOT |= dict.fromkeys(("date", "timestamp"), "not a date") | {"boolean": "neither true nor false"}


@dataclass(frozen=True)
class Cause:
    """One reason. `records` of the run's `total` are affected, if the service counts them."""

    text: str
    records: int | None = None
    total: int | None = None
    example: str = ""
    mapping: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        count = f"{self.records:,} of {self.total:,} records" if self.records and self.total else ""
        return ", ".join(filter(None, (self.text, count, self.example)))

    @property
    def lines(self) -> list[str]:
        """The cause, the mapping line, and what to do."""
        return [str(self), *filter(None, (self.mapping, *self.remedy.split("\n")))]


@dataclass
class Diagnoser:
    """Finds the causes of a flow's runs. `flow` is its item of Flow Service.

    `base` is (id, name) of the base connection, if the caller knows it. `credentials_key` is the config key of its
    secret. With `test_source` the service tries the credentials on the source.
    """

    client: "Client"
    flow: Item
    base: tuple[str, str] | None = None
    credentials_key: str = "KEY"
    test_source: bool = False

    def causes(self, run: FlowRun) -> tuple[Cause, ...]:
        """Every cause; none if the run went well or is under way."""
        return () if run.succeeded or not run.finished else tuple(self._causes(run))

    def _causes(self, run: FlowRun) -> Iterator[Cause]:
        of_fields = list(self._field_causes(run))
        yield from of_fields
        errors = [each for each in run.errors if each.code not in FIELD_ERRORS]
        if not of_fields:
            errors += self._batch_errors(run)
        specific = [
            each for each in errors if each.activity != "promotionActivity" or each.code != "CONNECTOR-2001-500"
        ]
        for error in dict.fromkeys(specific or ([] if of_fields else errors)):
            yield self._explain(error, run)
        if not of_fields and not errors:
            yield Cause("the run reports no error", remedy="Look at it in the UI, or at its batch in Catalog.")

    # ---- records that failed ----

    def _field_causes(self, run: FlowRun) -> Iterator[Cause]:
        counts: Counter[tuple[str, str]] = Counter()
        examples: dict[tuple[str, str], str] = {}
        for batch_id in run.batch_ids:
            try:
                for file, row, errors in self.client.data_access.row_errors(batch_id):
                    for key in _reasons(errors):
                        counts[key] += 1
                        examples.setdefault(key, f"e.g. row {row} of {file}")
            except ServiceError:  # they are kept for 30 days, and reading them is a permission of its own
                return
        for (name, reason), records in counts.most_common():
            line = self._mapping_line(name, run)
            if name and self._mapping and not line:
                remedy = f'Add a line to the mapping set with "destination": "{name}", then run pulumi up.'
            else:
                remedy = self._fill(RUN_ERRORS["MAPPER-3700-400"][1])
            text, example = f"{name}: {reason}" if name else reason, examples[name, reason]
            yield Cause(text, records, run.records_in, example, line, remedy)

    def _mapping_line(self, name: str, run: FlowRun) -> str:
        if name not in self._mapping:
            return ""
        number, source = self._mapping[name]
        short = source if len(source) <= LONGEST_SOURCE else f"{source[: LONGEST_SOURCE - 1]}…"
        at = run.ended or run.started  # a streaming run starts with its hour, before the flow perhaps
        changed = at and int(self.flow.get("updatedAt") or 0) > at.timestamp() * 1000
        return f"Mapping line {number}{' (changed since this run)' if changed else ''}: {short} → {name}"

    @cached_property
    def _mapping(self) -> dict[str, tuple[int, str]]:
        """Destination → (line, source), in the flow's present version of its mapping set."""
        used = [
            each.get("params") or {} for each in self.flow.get("transformations") or [] if each["name"] == "Mapping"
        ]
        found = {}
        for params in used:
            version = str(params.get("mappingVersion", ""))
            try:
                item = self.client.data_prep.mapping_sets.get(str(params.get("mappingId")), version)
            except ServiceError:
                continue
            for number, line in enumerate(item.get("mappings") or [], 1):
                source = line.get("source") or line.get("sourceAttribute")
                found[str(line.get("destination") or line.get("destinationXdmPath"))] = number, str(source)
        return found

    def _batch_errors(self, run: FlowRun) -> list[RunError]:
        """What Catalog says about the batches; else what the run itself says about its records."""
        of_run = [each for each in run.errors if each.code in FIELD_ERRORS]
        try:
            found = [each for key in run.batch_ids for each in self.client.catalog.batch(key).get("errors") or []]
        except ServiceError:
            return of_run
        errors = [RunError(str(e.get("code") or ""), str(e.get("description")), e.get("recordCount")) for e in found]
        known = {each.code for each in run.errors if each.code not in FIELD_ERRORS}
        return [each for each in errors if each.code not in known] or of_run

    # ---- errors of the run itself ----

    def _explain(self, error: RunError, run: FlowRun) -> Cause:
        text, remedy = RUN_ERRORS.get(f"{error.code} {error.activity}") or RUN_ERRORS.get(error.code, ("", ""))
        if error.activity == "copyActivity" and self.test_source and self._base[0]:
            try:
                accepted = self.client.flow_service.test(self._base[0])
            except ServiceError:
                pass
            else:
                does = "accepts the credentials now" if accepted else "refuses the credentials, or it is down"
                text = f"{text}: {self._base[1]} {does}"
                new = "If the credentials are old: pulumi config set --secret {key}, then pulumi up\n"
                remedy = "{again}" if accepted else f"{new}{{again}}"
        said = str(RunError(error.code, error.message)).rstrip(".")
        return Cause(f"{text} ({said})" if text else said, error.records, run.records_in, remedy=self._fill(remedy))

    def _fill(self, remedy: str) -> str:
        """The remedy with names instead of placeholders."""
        if not remedy:
            return ""
        name, schedule = str(self.flow.get("name") or self.flow["id"]), self.flow.get("scheduleParams") or {}
        again = f"Then start it again: pulumi-aep run {quote(name)}"
        if self.flow.get("state") == "disabled":
            again = "The flow is disabled and makes no further runs."
        elif schedule.get("frequency") != "once":
            again = f"It runs again by its schedule ({schedule_text(schedule)})."
        return remedy.format(
            flow=quote(name), connection=quote(self._base[1] or "CONNECTION"), again=again, key=self.credentials_key
        )

    @cached_property
    def _base(self) -> tuple[str, str]:
        """Id and name of the flow's base connection; empty if it has none."""
        if self.base:
            return self.base
        service = self.client.flow_service
        try:
            for source_id in self.flow.get("sourceConnectionIds") or []:
                if base_id := service.source_connections.get(source_id).get("baseConnectionId"):
                    return base_id, str(service.connections.get(base_id).get("name") or base_id)
        except ServiceError:
            pass
        return "", ""


def _reasons(errors: list[Item]) -> list[tuple[str, str]]:
    """(field, cause) of each error of a record. A value that failed also leaves its field empty: that is one cause."""
    found = dict.fromkeys((str(each.get("column") or ""), _plain(each)) for each in errors)
    failed = {name for name, reason in found if reason != _EMPTY}
    return [(name, reason) for name, reason in found if reason != _EMPTY or name not in failed]


def _plain(error: Item) -> str:
    """The cause of an error of a record, in common words."""
    message = str(error.get("message") or error.get("code") or "refused").strip().rstrip(".")
    if found := _CONVERSION.search(message):
        return _NOT.get(found[1].lower(), f"not of type {found[1].lower()}")
    return _EMPTY if re.search("required field", message, re.IGNORECASE) else message
