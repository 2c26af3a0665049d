"""What a source holds: folders and files, tables, fields with types, sample rows.

The request depends on the kind of source, which follows from the flow spec that accepts it (docs
explore/cloud-storage.md, explore/tabular.md, tutorial). Reads only.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from ..client.specs import spec_label
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
_BY_FLOW_SPEC: dict[str, Kind] = {
    FlowSpec.CLOUD_STORAGE_TO_AEP: "files",
    FlowSpec.CRM_TO_AEP: "tables",
    FlowSpec.REST_STORAGE_TO_AEP: "rest",
}


@dataclass(frozen=True)
class Entry:
    """An entry of a folder or database. `type` is folder, file or table."""

    type: str
    name: str
    path: str


@dataclass(frozen=True)
class Content:
    """Fields of a file, table or REST source, and the rows that the service previews.

    `fields` is name → type. Names are spelled as in a mapping's `source`: `address.city`, `${First Name}`.
    """

    fields: dict[str, str]
    rows: list[dict[str, Any]]

    def records(self) -> list[dict[str, Any]]:
        """The rows flattened: name (as in `fields`) → value. An array is one value."""
        return [dict(_leaves(row, lambda value: value if isinstance(value, dict) else None)) for row in self.rows]

    @cached_property
    def filled(self) -> dict[str, list[Any]]:
        """The values of each field that are not empty."""
        records = self.records()
        return {name: [row[name] for row in records if row.get(name) not in (None, "")] for name in self.fields}


def preview_source(
    service: "FlowService",
    connection_id: str,
    path: str = "",
    params: dict[str, Any] | None = None,
    file_type: str = "",
) -> list[Entry] | Content:
    """What is at `path`: entries of a folder or database, or the content of a file, table or REST source.

    `params` are the source's parameters, if it needs any; by default those of its first source connection.
    The landing zone has no base connection: its spec's id stands for one. Raises ConfigError for missing parameters and
    LookupFailed for streams.
    """
    spec = service.spec_of(connection_id)
    kind = source_kind(service, spec)
    if kind == "stream":
        raise LookupFailed(f"{spec_label(spec)} streams: there is nothing to explore before data arrives.")
    if kind == "rest":
        object_type, path, file_type = "rest", path or "json", file_type or "json"
        params = params if params is not None else _params_in_use(service, connection_id, spec)
    elif kind == "tables":
        object_type, file_type = "table" if path else "root", ""
    else:
        file_type = (file_type or FILE_TYPES.get(PurePosixPath(path).suffix.lower(), "")) if path else ""
        path = path if file_type else path.rstrip("/")
        object_type = "file" if file_type else "folder" if path else "root"
    found = service.explore(
        connection_id, object_type=object_type, path=path, file_type=file_type, source_params=params
    )
    if object_type in ("root", "folder"):
        return [Entry(*(str(item.get(key, "")) for key in ("type", "name", "path"))) for item in found]
    schema = found.get("schema") or {}
    columns = {column["name"]: {**(column.get("xdm") or {}), **column} for column in schema.get("columns") or []}
    fields = _leaves({**columns, **(schema.get("properties") or {})}, lambda part: part.get("properties") or None)
    return Content({name: field_type(part) for name, part in fields}, list(found.get("data") or []))


def source_kind(service: "FlowService", spec: dict[str, Any]) -> Kind:
    """The kind of source that a connection spec describes."""
    flow_specs = service.flow_specs.find()
    accepting = [each for each in flow_specs if spec["id"] in (each.get("sourceConnectionSpecIds") or [])]
    for flow_spec in accepting:
        if flow_spec["id"] in _BY_FLOW_SPEC:
            return _BY_FLOW_SPEC[flow_spec["id"]]
    return "stream" if any("scheduleSpec" not in each for each in accepting) else "tables"


def escape_field_name(name: str) -> str:
    """One step of a mapping's source, in `${…}` if it is a reserved word or no identifier (docs functions.md)."""
    return name if re.fullmatch(r"[A-Za-z$_][A-Za-z0-9$_]*", name) and not RESERVED.fullmatch(name) else f"${{{name}}}"


def field_type(schema: dict[str, Any]) -> str:
    """The JSON type; `date` or `date-time` for text that holds dates."""
    name = str(schema.get("type", ""))
    return str(schema["format"]) if name == "string" and schema.get("format") in ("date", "date-time") else name


def _leaves(
    tree: dict[str, Any], children: Callable[[Any], dict[str, Any] | None], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """The leaves of a row or schema by their path; `children` gives what is below a node, None for a leaf."""
    for name, node in tree.items():
        path, below = f"{prefix}{escape_field_name(name)}", children(node)
        yield from [(path, node)] if below is None else _leaves(below, children, f"{path}.")


def _params_in_use(service: "FlowService", connection_id: str, spec: dict[str, Any]) -> dict[str, Any] | None:
    """The parameters of the first source connection on this base connection; None if the source needs none."""
    for item in service.source_connections.find(f"baseConnectionId=={connection_id}"):
        return dict(item.get("params") or {})
    required = ((spec.get("sourceSpec") or {}).get("spec") or {}).get("required") or []
    if required:
        raise ConfigError(
            f"{spec_label(spec)} needs {', '.join(required)}, and no source connection uses this base connection yet: "
            f"pass them (--param {required[0]}=…, in a program source_params)"
        )
    return None
