"""What a source holds: folders and files, tables, fields with types, sample rows.

How a source is asked depends on its kind, which is told by the flow spec that takes it (docs explore/cloud-storage.md,
explore/tabular.md, tutorial). Reads only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from ..constants import FlowSpec
from ..errors import ConfigError, LookupFailed

if TYPE_CHECKING:
    from ..client.flow_service import FlowService

Kind = Literal["files", "tables", "rest", "stream"]
RESERVED = re.compile(
    "new|mod|or|and|not|if|else|for|while|null|true|false|return|eq|ne|lt|le|gt|ge|div|break|continue|var"
)
"""Words that are no names of fields in Data Prep's expressions."""

FILE_TYPES = {".csv": "delimited", ".tsv": "delimited", ".txt": "delimited", ".json": "json", ".parquet": "parquet"}
_KINDS: dict[str, Kind] = {
    FlowSpec.CLOUD_STORAGE_TO_AEP: "files",
    FlowSpec.CRM_TO_AEP: "tables",
    FlowSpec.REST_STORAGE_TO_AEP: "rest",
}
_CATEGORIES: dict[str, Kind] = {"cloudStorage": "files", "streaming": "stream"}


@dataclass(frozen=True)
class Entry:
    """One thing in a folder or database. `type` is folder, file or table; `path` leads to it."""

    type: str
    name: str
    path: str


@dataclass(frozen=True)
class Content:
    """Fields of a file, table or REST source, and the rows that the service previews.

    `fields` is name → type; the names are what a mapping's `source` takes: `address.city`, `${First Name}`.
    """

    fields: dict[str, str]
    rows: list[dict[str, Any]]

    def records(self) -> list[dict[str, Any]]:
        """The rows without levels: name (as in `fields`) → value. An array is one value."""
        return [dict(_leaves(row)) for row in self.rows]


def look(
    service: "FlowService",
    connection_id: str,
    path: str = "",
    params: dict[str, Any] | None = None,
    file_type: str = "",
) -> list[Entry] | Content:
    """What is at `path`: entries of a folder or database, or the content of a file, table or REST source.

    `params` are the source's parameters where it needs some; those of its first source connection if left out.
    Raises ConfigError or LookupFailed where that cannot be asked.
    """
    base = service.connections.get(connection_id)
    spec = service.connection_specs.get(base["connectionSpec"]["id"])
    kind = kind_of(service, spec)
    if kind == "stream":
        raise LookupFailed(f"{spec['name']} streams: there is nothing to explore before data arrives.")
    if kind == "files" and not _is_file(path, file_type):
        folder = path.rstrip("/")
        answer = service.explore(
            connection_id, object_type="folder" if folder else "root", path=folder, source_params=params
        )
        return [_entry(item) for item in answer]
    if kind == "tables" and not path:
        return [_entry(item) for item in service.explore(connection_id, object_type="root", source_params=params)]
    if kind == "rest":
        params = params if params is not None else _used_params(service, connection_id, spec)
        answer = service.explore(
            connection_id,
            object_type="rest",
            path=path or "json",
            file_type=file_type or "json",
            source_params=params,
        )
    elif kind == "tables":
        answer = service.explore(connection_id, object_type="table", path=path, source_params=params)
    else:
        form = file_type or FILE_TYPES[PurePosixPath(path).suffix.lower()]
        answer = service.explore(connection_id, object_type="file", path=path, file_type=form, source_params=params)
    return Content(dict(_fields(answer.get("schema") or {})), list(answer.get("data") or []))


def kind_of(service: "FlowService", spec: dict[str, Any]) -> Kind:
    """What kind of source a connection spec is."""
    for flow_spec in service.flow_specs.find():
        if spec["id"] in (flow_spec.get("sourceConnectionSpecIds") or []) and flow_spec["id"] in _KINDS:
            return _KINDS[flow_spec["id"]]
    return _CATEGORIES.get((spec.get("attributes") or {}).get("category", ""), "tables")


def part_of_source(name: str) -> str:
    """One step of a mapping's source: what is no identifier, or a reserved word, is wrapped (docs functions.md)."""
    return name if re.fullmatch(r"[A-Za-z$_][A-Za-z0-9$_]*", name) and not RESERVED.fullmatch(name) else f"${{{name}}}"


def _leaves(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        here = f"{prefix}{part_of_source(name)}"
        if isinstance(part, dict):
            yield from _leaves(part, f"{here}.")
        else:
            yield here, part


def _is_file(path: str, file_type: str) -> bool:
    return bool(path) and (bool(file_type) or PurePosixPath(path).suffix.lower() in FILE_TYPES)


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(str(item.get("type", "")), str(item.get("name", "")), str(item.get("path", "")))


def _used_params(service: "FlowService", connection_id: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    """The parameters of the first source connection on this base connection; None where the source asks for none."""
    for item in service.source_connections.find(f"baseConnectionId=={connection_id}"):
        return dict(item.get("params") or {})
    needed = ((spec.get("sourceSpec") or {}).get("spec") or {}).get("required") or []
    if needed:
        raise ConfigError(
            f"{spec['name']} asks for {', '.join(needed)}, and no source connection uses this base connection yet: "
            f"give them (--param {needed[0]}=…, in a program source_params)"
        )
    return None


def _fields(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every column of a flat schema, every leaf of a hierarchical one. Texts that hold dates are of type date."""
    for column in schema.get("columns") or []:
        yield part_of_source(column["name"]), _type({**(column.get("xdm") or {}), **column})
    for name, part in (schema.get("properties") or {}).items():
        here = f"{prefix}{part_of_source(name)}"
        if part.get("properties"):
            yield from _fields(part, f"{here}.")
        else:
            yield here, _type(part)


def _type(schema: dict[str, Any]) -> str:
    name = str(schema.get("type", ""))
    return str(schema["format"]) if name == "string" and schema.get("format") in ("date", "date-time") else name
