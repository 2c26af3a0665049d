"""Whose an object is, before a new resource makes its own or takes one that exists."""

import json
from typing import Any

from ..errors import NotFound, OwnershipConflict
from .conflicts import update_with_etag
from .kind import Item, Kind, resolve_desired
from .ownership import record, resource_of, state_id
from .runtime import Runtime
from .values import Path, Props, contains_unknown


def ownership_problems(kind: Kind, runtime: Runtime, props: Props) -> list[str]:
    """Why a new resource may not make, or adopt, its object."""
    if props.get("adopt"):
        return _adoption_problems(kind, runtime, props)
    key = kind.natural_key
    if props.get("allow_duplicate_name") or not key or not all(_is_known(props.get(name)) for name in key):
        return []
    cache = runtime.cache(kind)
    for object_id, observed in cache.observed().items():
        if cache.is_leaving(object_id):
            continue  # this is its successor
        if all(observed.get(name) == props.get(name) for name in key) and not _is_ours(kind, runtime, observed, props):
            return [_duplicate_message(kind, runtime, object_id, observed.get("owner") or "", props)]
    return []


def adopt(kind: Kind, runtime: Runtime, object_id: str, item: Item, new: Props) -> tuple[Props, Props, Props]:
    """Bring an object that exists to the wanted state: (what it was, what is wanted of it, its outputs)."""
    observed = {**new, **kind.observe(item, new, runtime)}
    if kind.ownership.makes_version and not observed.get("owner"):
        observed["owner"] = new.get("owner")  # nobody's: the line waits for the next change
    new = resolve_desired(kind, new, observed)
    if problems := _replace_problems(kind, observed, new):
        raise OwnershipConflict(
            f"{object_id} is this stack's, but it cannot become what the program says: {'; '.join(problems)}. "
            "Delete it, or change the program to match it. If it was kept on purpose (retain_on_delete), remove "
            "the line [pulumi: …] from its description."
        )
    old = _without(observed, kind.arguments.secrets(observed))  # which ones it holds is unknown: they are sent once
    outputs = kind.computed_outputs(item, runtime)
    if update := kind.build_update(old, new, runtime):
        state = {**outputs, "owner": old.get("owner")}
        outputs |= update_with_etag(kind, runtime, object_id, update, state, old, new)
    return old, new, outputs


def _is_ours(kind: Kind, runtime: Runtime, observed: Props, props: Props) -> bool:
    """Whether this very record made an object, perhaps with a state that was lost since (`aep:ownerId`)."""
    lost, owner = runtime.settings.owner_id, observed.get("owner") or ""
    return kind.ownership.is_mine(observed, props, False, runtime.line_of) or bool(
        lost and state_id(owner) == lost and record(owner) == props.get("record")
    )


def _adoption_problems(kind: Kind, runtime: Runtime, props: Props) -> list[str]:
    object_id = props["adopt"]
    if runtime.cache(kind).is_leaving(object_id):
        return []  # adopted long ago, and replaced now
    try:
        item = kind.collection(runtime.client).get(object_id)
    except NotFound:
        sandbox = runtime.settings.sandbox
        return [f"adopt: no {kind.name} {object_id} in sandbox {sandbox}; leave adopt out to make one"]
    known = {name: value for name, value in props.items() if not contains_unknown(value)}
    observed = {**props, **kind.observe(item, known, runtime)}
    new = resolve_desired(kind, props, observed)
    problems = [f"adopt: {problem}" for problem in _replace_problems(kind, observed, new)]
    owner = observed.get("owner")
    if owner not in (None, props.get("owner")) and not props.get("take_over"):
        problems.append(f"adopt: {object_id} belongs to {owner}; set take_over=True to take it from there")
    if not problems:
        runtime.adoptions.add(kind, object_id, observed, new)
    return problems


def _replace_problems(kind: Kind, observed: Props, new: Props) -> list[str]:
    """What of an existing object cannot become what the program says."""
    fields = kind.replace_fields(observed, new, kind.arguments.changed(observed, new))
    return [
        f"{name} differs (service: {_shown(kind, name, observed)}, program: {_shown(kind, name, new)})"
        for name in fields
        if not contains_unknown(new.get(name))
    ]


def _shown(kind: Kind, name: str, props: Props) -> str:
    """The field as JSON, without secrets."""
    secrets = dict.fromkeys(kind.arguments.secrets(props))
    return json.dumps(_redacted(props.get(name), (name,), secrets), sort_keys=True, default=str)


def _duplicate_message(kind: Kind, runtime: Runtime, object_id: str, owner: str, props: Props) -> str:
    identity, key = state_id(owner), kind.natural_key
    said = ", ".join(repr(props[name]) for name in key if isinstance(props[name], str))
    text = f"{key[0]}: {said} already exists as {object_id}, "
    if identity and identity in (state_id(props.get("owner")), runtime.settings.owner_id):
        text += f"created as {record(owner)}, and this is {props.get('record')}. "
        text += "If you renamed or moved the resource, tell Pulumi, and the object stays as it is: "
        text += f'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="{resource_of(owner)}", parent=…)]), '
        text += "parent=pulumi.ROOT_STACK_RESOURCE if it had none. If its record is gone from the state: "
        text += f'adopt="{object_id}", take_over=True. '
    else:
        text += f"owned by {owner}. " if owner else "without an owner line. "
        text += f'To manage it: adopt="{object_id}"'
        text += ", take_over=True. " if owner else ". "
        if identity:
            text += f"If this stack's state was lost: pulumi config set aep:ownerId {identity}. "
    again = "To create a second one: allow_duplicate_name=True."
    return text + again if "allow_duplicate_name" in kind.arguments.fields else text.rstrip()


def _is_known(value: Any) -> bool:
    return value is not None and not contains_unknown(value)


def _without(value: Any, leaves: list[Path]) -> Any:
    """The properties without these leaves."""
    if not isinstance(value, dict) or not leaves:
        return value
    gone = {path[0] for path in leaves if len(path) == 1}
    return {
        name: _without(part, [path[1:] for path in leaves if path[0] == name and len(path) > 1])
        for name, part in value.items()
        if name not in gone
    }


def _redacted(value: Any, path: Path, secrets: dict[Path, None]) -> Any:
    if path in secrets:
        return "[secret]"
    if isinstance(value, dict):
        return {key: _redacted(item, (*path, key), secrets) for key, item in value.items()}
    return value
