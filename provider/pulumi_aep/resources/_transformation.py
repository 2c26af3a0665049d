"""What happens to the data of a flow on its way: the argument `transformations`."""

import re
from typing import Any, Literal, Required

import pulumi

from ..engine.arguments import Input, Shape
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, int_if_digits, normalize
from ._references import look_up, schema_text, schemas_differ
from .dataset import Dataset
from .mapping_set import MappingSet
from .target_connection import TargetConnection

_MAPPING_ID = re.compile("[0-9a-fA-F]{32}")


class Transformation(Shape, total=False):
    """What happens to the data on its way."""

    name: Required[Input[Literal["Mapping", "Copy", "Encryption"]]]
    """`Mapping`, `Copy` for the delta column of a database, or `Encryption` for encrypted files."""
    params: Required[Input[dict[str, Any]]]
    """Parameters, spelled as Adobe does; for `Mapping`: `mappingId` and `mappingVersion`."""


def mapping_params(transformation: Any) -> Any:
    params = transformation["params"]
    if transformation["name"] != "Mapping" or params is UNKNOWN:
        return transformation
    if set(params) - {"mappingId", "mappingVersion"} or "mappingId" not in params:
        raise ValueError("params of Mapping are mappingId and mappingVersion")
    identity, version = params["mappingId"], params.get("mappingVersion", 0)
    if identity is not UNKNOWN and not (isinstance(identity, str) and _MAPPING_ID.fullmatch(identity)):
        raise ValueError(f"params.mappingId must be a mapping set id of 32 hexadecimal digits; got {identity!r}")
    if version is not UNKNOWN:
        if isinstance(version, bool) or not re.fullmatch("[0-9]+", str(version)):
            raise ValueError(f"params.mappingVersion must be a whole number; got {version!r}")
        version = int(version)
    return {**transformation, "params": {"mappingId": identity, "mappingVersion": version}}


def transformation_names(props: Props) -> set[Any]:
    """Names of the transformations, as far as they are known."""
    transformations = props.get("transformations", [])
    if not isinstance(transformations, list):
        return {UNKNOWN}
    names = (each.get("name") if isinstance(each, dict) else None for each in transformations)
    return {name if isinstance(name, str) else UNKNOWN for name in names}


def mapping_schema_problems(props: Props, previous: Props, runtime: Runtime) -> list[str]:
    """The mapping set must be for the schema of the dataset that the flow writes to."""
    (path, mapping), target = _mapping_id(props), props.get("target_connection_id")
    known = isinstance(mapping, str) and isinstance(target, str)
    if mapping is None or (
        known and (mapping, target) == (_mapping_id(previous)[1], previous.get("target_connection_id"))
    ):
        return []
    wanted, dataset, there = (props.get(name) for name in ("mapping_schema", "target_dataset", "target_schema"))
    problems = []
    if wanted is None:
        if (found := look_up(MappingSet.kind, mapping, runtime)) is None:
            problems.append(f"{path}: no mapping set {mapping} in this sandbox")
        wanted = (found or {}).get("schema_id")
    if dataset is None:
        if (found := look_up(TargetConnection.kind, target, runtime)) is None:
            problems.append(f"target_connection_id: no target connection {target} in this sandbox")
        dataset = (found or {}).get("dataset_id")
    if there is None:
        there = (look_up(Dataset.kind, dataset, runtime) or {}).get("schema_id")
    if schemas_differ(wanted, there):
        problems.append(
            f"{path}: the mapping set is for schema {schema_text(wanted)}, and the dataset of the target connection "
            f"has schema {schema_text(there)}: both must have the same"
        )
    return problems


def _mapping_id(props: Props) -> tuple[str, Any]:
    """Where the id of the mapping set stands, and the id; None without one."""
    transformations = props.get("transformations")
    for index, each in enumerate(transformations if isinstance(transformations, list) else ()):
        params = each.get("params") if isinstance(each, dict) and each.get("name") == "Mapping" else None
        if isinstance(params, dict):
            return f"transformations[{index}].params.mappingId", params.get("mappingId")
    return "", None


def observed_transformations(observed: list[dict[str, Any]] | None, known: list[Props] | None) -> list[Props]:
    """The service returns the mapping's version as text."""
    transformations = []
    for index, item in enumerate(observed or []):
        params = item.get("params") or {}
        if known and index < len(known):
            params = normalize(params, known[index]["params"])
        if item.get("name") == "Mapping":
            params = {**params, "mappingVersion": int_if_digits(params.get("mappingVersion") or 0)}
        transformations.append({"name": item.get("name"), "params": params})
    return transformations


def with_mapping(transformations: Any, mapping: MappingSet) -> Any:
    """After what reads the data, before `Encryption`, as on Adobe's pages."""
    if isinstance(transformations, pulumi.Output):
        return transformations.apply(lambda known: with_mapping(known or [], mapping))
    params = {"mappingId": mapping.id, "mappingVersion": mapping.version}
    last = [isinstance(each, dict) and each.get("name") == "Encryption" for each in transformations]
    place = last.index(True) if True in last else len(last)
    return [*transformations[:place], {"name": "Mapping", "params": params}, *transformations[place:]]
