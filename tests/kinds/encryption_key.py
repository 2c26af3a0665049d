"""EncryptionKey: a key pair for encrypted files (Connectors API, `/encryption/keys`)."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.description import SECRET, Bad, Closed, Description, Ids, Props, Round
from support.outside import OTHER_RECORD
from support.strategies import NAMES, arguments_of

FIXED = Closed("the service has no way to change a key pair")


def strategies(ids: Ids) -> SearchStrategy[Props]:
    return st.builds(lambda props, text: {**props, "passphrase": text}, arguments_of("EncryptionKey"), NAMES)


DESCRIPTION = Description(
    kind="EncryptionKey",
    key="key",
    an_id="8f2d1c5e-93c1-4b0e-9f25-1f3c2d4b7a60",
    collection="keys",
    arguments={"name": "web", "passphrase": SECRET},
    more={"algorithm": "PGP"},
    bad=(
        Bad("name", " ", "name: must not be empty"),
        Bad("passphrase", "", "passphrase: must not be empty"),
        Bad("passphrase", 12.0, "passphrase: must be text"),
        Bad("algorithm", "AES", "algorithm: must be 'PGP' or 'GPG'"),
    ),
    in_place=(Round({"owner": OTHER_RECORD}, ()),),
    replaced=(("name", "other"), ("algorithm", "GPG"), ("passphrase", "canary-another")),
    kept_on_adoption=frozenset({"passphrase"}),
    outside={"name": FIXED, "passphrase": FIXED, "algorithm": FIXED, "owner": FIXED},
    made_first=True,
    strategies=strategies,
)
