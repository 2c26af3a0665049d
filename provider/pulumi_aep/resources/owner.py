"""The identity of a stack's state, carried by every object in its description (see docs/design.md)."""

import secrets
from typing import Any
from weakref import WeakKeyDictionary

import pulumi

from ..engine.arguments import Arguments, Shape
from ..engine.dynamic import Resource
from ..engine.kind import Kind
from ..engine.reconciler import Difference, Reconciler, assert_same_scope
from ..engine.sdk_internals import await_registrations_first, exit_quietly_on_interrupt, root_resource
from ..engine.values import Props

NAME = "aep-owner"


class OwnerArgs(Shape, total=False):
    """The owner takes no arguments."""


class OwnerReconciler(Reconciler):
    """Makes the random id once. It asks no service; it keeps sandbox and organization, and refuses others."""

    def check(self, previous: Props, given: Props) -> tuple[Props, list[str]]:
        return given, []

    def diff(self, object_id: str, state: Props, inputs: Props) -> Difference:
        """The identity of a lost state, given in the config, replaces one made meanwhile."""
        assert_same_scope(state, self.runtime)
        given = self.runtime.settings.owner_id
        return Difference(True, ["org_id"]) if given and given != object_id else Difference(False, [])

    def create(self, inputs: Props) -> tuple[str, Props]:
        return self.runtime.settings.owner_id or secrets.token_hex(6), self.state({})

    def read(self, object_id: str, state: Props) -> tuple[Props, Props] | None:
        assert_same_scope(state, self.runtime)
        return state, {}

    def update(self, object_id: str, state: Props, inputs: Props) -> Props:
        return state

    def delete(self, object_id: str, state: Props) -> None:
        """The id lives in the state alone."""


class OwnerKind(Kind):
    """The identity of a state: no object of any service."""

    arguments = Arguments(OwnerArgs, OwnerArgs)
    reconciler = OwnerReconciler


class Owner(Resource, module="aep", name="Owner"):
    """The random id of this stack's state. The library makes it; programs need not.

    Every object carries `<project>/<stack>/<resource name>#<id>` as the last line of its description, so that people
    in the UI see which stack owns it, and a second copy of the program with a state of its own is told apart.
    """

    kind = OwnerKind()

    def __init__(self, resource_name: str = NAME, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, opts=opts)


_owners: WeakKeyDictionary[Any, Owner] = WeakKeyDictionary()
"""The owner of each stack that this process runs, by its root resource."""


def owner_line(resource_name: str) -> pulumi.Output[str]:
    """The owner of an object, made of this stack's identity and the resource's name."""
    root = root_resource()
    owner = _owners.get(root) if root is not None else None
    if owner is None:
        await_registrations_first()
        exit_quietly_on_interrupt()
        owner = Owner()
        if root is not None:
            _owners[root] = owner
    return pulumi.Output.format("{0}/{1}/{2}#{3}", pulumi.get_project(), pulumi.get_stack(), resource_name, owner.id)
