"""The identity of a stack's state, carried by every object in its description (see docs/design.md)."""

import secrets
from typing import Any, ClassVar

import pulumi

from ..engine.arguments import Arguments
from ..engine.reconciler import Provider, assert_same_scope, current_runtime
from ..engine.sdk_internals import await_registrations_first, root_resource
from ..engine.values import Props

NAME = "aep-owner"


class OwnerArguments(Arguments):
    """The owner has no inputs."""


class OwnerProvider(Provider):
    """Makes the random id once. It talks to no service; it keeps sandbox and organization, and refuses others."""

    arguments = OwnerArguments

    def diff(self, _id: str, _olds: Props, _news: Props) -> pulumi.dynamic.DiffResult:
        """The identity of a lost state, given in the config, takes the place of one made meanwhile."""
        given = current_runtime().settings.owner_id
        result = super().diff(_id, _olds, _news)
        if given and given != _id:
            return pulumi.dynamic.DiffResult(changes=True, replaces=["org_id"])
        return result

    def create(self, props: Props) -> pulumi.dynamic.CreateResult:
        runtime = current_runtime()
        identity = runtime.settings.owner_id or secrets.token_hex(6)
        return pulumi.dynamic.CreateResult(identity, self.state({}, {}, runtime))

    def read(self, id_: str, props: Props) -> pulumi.dynamic.ReadResult:
        assert_same_scope(props, current_runtime())
        return pulumi.dynamic.ReadResult(id_, dict(props), {})

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing to do: the id lives in the state alone."""


class Owner(pulumi.dynamic.Resource, module="aep", name="Owner"):
    """The random id of this stack's state. The library makes it; programs need not.

    Every object carries `<project>/<stack>/<resource name>#<id>` as the last line of its description, so that people
    in the UI see which stack owns it, and a second copy of the program with a state of its own is told apart.
    """

    sandbox: pulumi.Output[str]
    org_id: pulumi.Output[str]

    _instances: ClassVar[str] = "_pulumi_aep_owner"

    def __init__(self, resource_name: str = NAME, opts: pulumi.ResourceOptions | None = None) -> None:
        props: dict[str, Any] = {"sandbox": None, "org_id": None}
        super().__init__(OwnerProvider(), resource_name, props, opts)


def owner_line(resource_name: str) -> pulumi.Output[str]:
    """The owner of an object, made of this stack's identity and the resource's name."""
    root: Any = root_resource()
    owner = getattr(root, Owner._instances, None)
    if owner is None:
        await_registrations_first()
        owner = Owner()
        if root is not None:
            setattr(root, Owner._instances, owner)
    return pulumi.Output.format("{0}/{1}/{2}#{3}", pulumi.get_project(), pulumi.get_stack(), resource_name, owner.id)
