"""What a source holds: folders and files, tables, fields with types, sample rows.

How to ask depends on the kind of source, which follows from the flow spec that accepts it (docs
explore/cloud-storage.md, explore/tabular.md, tutorial). Reads only.
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
"""Reserved words of Data Prep's expressions."""

FILE_TYPES = {".csv": "delimited", ".tsv": "delimited", ".txt": "delimited", ".json": "json", ".parquet": "parquet"}
_KINDS: dict[str, Kind] = {
    FlowSpec.CLOUD_STORAGE_TO_AEP: "files",
    FlowSpec.CRM_TO_AEP: "tables",
    FlowSpec.REST_STORAGE_TO_AEP: "rest",
}
_CATEGORIES: dict[str, Kind] = {"cloudStorage": "files", "streaming": "stream"}


@dataclass(frozen=True)
class Entry:
    """An entry of a folder or database. `type` is folder, file or table."""

    type: str
    name: str
    path: str


@dataclass(frozen=True)
class Content:
    """Fields of a file, table or REST source, and the rows that the service previews.

    `fields` is name → type. Names are spelled as a mapping's `source` needs them: `address.city`, `${First Name}`.
    """

    fields: dict[str, str]
    rows: list[dict[str, Any]]

    def records(self) -> list[dict[str, Any]]:
        """The rows flattened: name (as in `fields`) → value. An array is one value."""
        return [dict(_leaves(row)) for row in self.rows]


def preview_source(
    service: "FlowService",
    connection_id: str,
    path: str = "",
    params: dict[str, Any] | None = None,
    file_type: str = "",
) -> list[Entry] | Content:
    """What is at `path`: entries of a folder or database, or the content of a file, table or REST source.

    `params` are the source's parameters, if it needs any; by default those of its first source connection.
    Raises ConfigError for missing parameters and LookupFailed for streams.
    """
    base = service.connections.get(connection_id)
    spec = service.connection_specs.get(base["connectionSpec"]["id"])
    kind = source_kind(service, spec)
    if kind == "stream":
        raise LookupFailed(f"{spec['name']} streams: there is nothing to explore before data arrives.")
    if kind == "rest":
        object_type, path, file_type = "rest", path or "json", file_type or "json"
        params = params if params is not None else _params_in_use(service, connection_id, spec)
    elif kind == "tables":
        object_type, file_type = "table" if path else "root", ""
    elif path and (file_type := file_type or FILE_TYPES.get(PurePosixPath(path).suffix.lower(), "")):
        object_type = "file"
    else:
        path, file_type = path.rstrip("/"), ""
        object_type = "folder" if path else "root"
    answer = service.explore(
        connection_id, object_type=object_type, path=path, file_type=file_type, source_params=params
    )
    if object_type in ("root", "folder"):
        return [Entry(*(str(item.get(key, "")) for key in ("type", "name", "path"))) for item in answer]
    return Content(dict(_fields(answer.get("schema") or {})), list(answer.get("data") or []))


def source_kind(service: "FlowService", spec: dict[str, Any]) -> Kind:
    """The kind of source that a connection spec describes."""
    for flow_spec in service.flow_specs.find():
        if spec["id"] in (flow_spec.get("sourceConnectionSpecIds") or []) and flow_spec["id"] in _KINDS:
            return _KINDS[flow_spec["id"]]
    return _CATEGORIES.get((spec.get("attributes") or {}).get("category", ""), "tables")


def escape_field_name(name: str) -> str:
    """One step of a mapping's source; `${…}` around reserved words and what is no identifier (docs functions.md)."""
    return name if re.fullmatch(r"[A-Za-z$_][A-Za-z0-9$_]*", name) and not RESERVED.fullmatch(name) else f"${{{name}}}"


def _leaves(row: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        path = f"{prefix}{escape_field_name(name)}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value


def _params_in_use(service: "FlowService", connection_id: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    """The parameters of the first source connection on this base connection; None if the source needs none."""
    for item in service.source_connections.find(f"baseConnectionId=={connection_id}"):
        return dict(item.get("params") or {})
    required = ((spec.get("sourceSpec") or {}).get("spec") or {}).get("required") or []
    if required:
        raise ConfigError(
            f"{spec['name']} needs {', '.join(required)}, and no source connection uses this base connection yet: "
            f"pass them (--param {required[0]}=…, in a program source_params)"
        )
    return None


def _fields(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every column of a flat schema, every leaf of a hierarchical one."""
    for column in schema.get("columns") or []:
        yield escape_field_name(column["name"]), _type({**(column.get("xdm") or {}), **column})
    for name, part in (schema.get("properties") or {}).items():
        path = f"{prefix}{escape_field_name(name)}"
        if part.get("properties"):
            yield from _fields(part, f"{path}.")
        else:
            yield path, _type(part)


def _type(schema: dict[str, Any]) -> str:
    """The JSON type; `date` or `date-time` for text that holds dates."""
    name = str(schema.get("type", ""))
    return str(schema["format"]) if name == "string" and schema.get("format") in ("date", "date-time") else name
