"""What a flow's creation cannot say and calls of their own do: `enabled`, `draft` and `labels`."""

from ..engine.runtime import Runtime
from ..engine.values import Props
from ..errors import AepError, ApiError, Incomplete, NotFound


def set_state(object_id: str, old: Props, new: Props, runtime: Runtime) -> Props:
    """A new or published flow is enabled; `state` in its creation is refused (FLOW-1410-400), so disabling is an
    action."""
    if new["draft"]:
        return {}
    outputs = _publish(object_id, runtime) if old.get("draft") else {}
    if (bool(old.get("draft")) or old.get("enabled", True)) == new["enabled"]:
        return outputs
    try:
        operation = "enable" if new["enabled"] else "disable"
        return {"etag": runtime.client.flow_service.flows.action(object_id, operation)["etag"]}
    except AepError as error:
        if old:
            raise
        text = f"flow {object_id} was made, but it is still enabled: {error}\nRun pulumi up again."
        raise Incomplete(text, {"enabled": True}) from None


def _publish(object_id: str, runtime: Runtime) -> Props:
    """Somebody else may have done it, or a request of our own whose response was lost: then it is refused."""
    flows = runtime.client.flow_service.flows
    try:
        return {"etag": flows.action(object_id, "publish")["etag"]}
    except ApiError:
        if (item := flows.get(object_id))["state"] == "draft":
            raise
        return {"etag": item["etag"]}


def set_labels(object_id: str, old: Props, new: Props, runtime: Runtime) -> Props:
    """Adobe documents no labels in a creation. A flow with labels that these credentials have no role for answers
    404 (docs tutorials/api/labels.md)."""
    labels, flows = new.get("labels"), runtime.client.flow_service.flows
    if not labels or labels == old.get("labels"):
        return {}
    try:
        outputs = {} if old else {"etag": _add_labels(object_id, labels, runtime)}
        flows.get(object_id)
        return outputs
    except NotFound:
        text = f"flow {object_id} has the labels {labels} now, and these credentials no longer see it. "
        raise Incomplete(f"{text}In Permissions, give them a role with these labels.", {}) from None
    except AepError as error:
        if old:
            raise
        text = f"flow {object_id} was made, but it has no labels yet: {error}\nRun pulumi up again."
        raise Incomplete(text, {"labels": None}) from None


def _add_labels(object_id: str, labels: list[str], runtime: Runtime) -> str:
    flows = runtime.client.flow_service.flows
    etag = flows.get(object_id)["etag"]
    answer = flows.update(object_id, [{"op": "add", "path": "/labels", "value": labels}], etag)
    return str(answer["etag"])
