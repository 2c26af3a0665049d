"""Encryption key: a key pair for encrypted files (Connectors API, `/encryption/keys`)."""

import time
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

import pulumi
from typing_extensions import Unpack

from ..engine.arguments import RESOURCE_NAME, Arguments, Change, CommonArgs, F, Input, Name
from ..engine.dynamic import Resource
from ..engine.kind import Exports, Item, Kind, WarnsOnRead
from ..engine.ownership import NaturalKey
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props

WARN_DAYS = 30


class EncryptionKeyArgs(CommonArgs, total=False):
    name: Annotated[Input[Name] | None, F(Change.REPLACE, default=RESOURCE_NAME)]
    """Name of the key pair in the UI."""
    passphrase: Annotated[Input[Name] | None, F(Change.REPLACE, secret=True)]
    """Passphrase that protects the private key. Required to create a key pair; the service never shows it."""
    algorithm: Annotated[Input[Literal["PGP", "GPG"]], F(Change.REPLACE, default="PGP")]
    """How the files are encrypted: `PGP` or `GPG`."""


class EncryptionKeyKind(Kind, WarnsOnRead, Exports):
    """Key pairs ↔ Connectors API. The new one is made before the old one goes: a flow never names one that is gone."""

    arguments = Arguments(EncryptionKeyArgs)
    collection_path = "connectors.encryption_keys"
    disposable: ClassVar[Props] = {"passphrase": "of the disposable key pair"}
    outputs = ("public_key", "expiry_time")
    natural_key = ("name",)
    needed_to_create = ("passphrase",)
    ownership = NaturalKey(*natural_key)
    delete_before_replace = False

    def to_wire(self, props: Props, runtime: Runtime) -> Item:
        return {
            "name": props["name"],
            "encryptionAlgorithm": props["algorithm"],
            "params": {"passPhrase": props["passphrase"]},
        }

    def from_wire(self, item: Item, known: Props, runtime: Runtime) -> Props:
        return {"name": item.get("name"), "algorithm": item.get("encryptionAlgorithm")}

    def replace_fields(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        """A passphrase that only the state or only the program has is no other one."""
        both_known = old.get("passphrase") and new.get("passphrase")
        return [name for name in super().replace_fields(old, new, changed) if name != "passphrase" or both_known]

    def computed_outputs(self, item: Item, runtime: Runtime) -> Props:
        return {"public_key": item["publicKey"], "expiry_time": int(item["expiryTime"])}

    def warning(self, item: Item) -> str:
        expires = int(item["expiryTime"])
        if expires > time.time() + WARN_DAYS * 86_400:
            return ""
        day = datetime.fromtimestamp(expires, UTC).date()
        return f"it expires on {day}, and flows cannot read files encrypted with it then. A new name makes a new one."

    def to_program_args(self, item: Item, runtime: Runtime) -> Props:
        return {**self.observe(item, {}, runtime), "passphrase": UNKNOWN}


class EncryptionKey(Resource, module="aep", name="EncryptionKey"):
    """A key pair for encrypted files: you encrypt with `public_key`, Experience Platform decrypts.

        key = aep.EncryptionKey("orders-2026", passphrase=config.require_secret("passphrase"))

    Give its id to `Source` as `encryption={"public_key_id": key.id}`. `public_key` is Base64; `expiry_time` is in epoch
    seconds, 180 days after the creation. Nothing of a key pair changes in place: a replacement is created first, flows
    follow, then the old one is deleted. Source of the rules: Adobe's page on encrypted data ingestion.
    """

    kind = EncryptionKeyKind()

    name: pulumi.Output[str]
    passphrase: pulumi.Output[str | None]
    algorithm: pulumi.Output[str]
    public_key: pulumi.Output[str]
    """The public key, in Base64."""
    expiry_time: pulumi.Output[int]
    """When the key pair expires, in epoch seconds."""

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **args: Unpack[EncryptionKeyArgs]
    ) -> None:
        super().__init__(resource_name, opts=opts, **args)
