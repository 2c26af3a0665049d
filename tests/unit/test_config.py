"""What settings accept, and what a wrong one is answered with."""

from typing import Any

import pytest

from pulumi_aep import config
from pulumi_aep.errors import ConfigError

KNOWN = {"aep:orgId": "A@AdobeOrg", "aep:clientId": "c", "aep:clientSecret": "canary-secret", "aep:sandbox": "dev"}
OFFLINE = {"aep:endpoint": "emulator", "aep:sandbox": "dev"}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*config.VARIABLES.values(), "AEP_EMULATOR_PORT"):
        monkeypatch.delenv(variable, raising=False)


def load(**settings: Any) -> config.Settings:
    return config.load({**KNOWN, **{f"aep:{key}": value for key, value in settings.items()}}.get)


def problem(**settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(**settings)
    return str(caught.value)


class TestUnknownKeys:
    @pytest.mark.parametrize(
        ("key", "remedy"),
        [
            ("aep:timout", "did you mean aep:timeout?"),
            ("aep:client_secret", "did you mean aep:clientSecret?"),
            ("aep:OWNERID", "did you mean aep:ownerId?"),
            ("aep:allowProductionDelete", "did you mean aep:allowProductionDeletes?"),
            ("aep:color", "remove it: pulumi config rm aep:color"),
            ("aep:", "remove it: pulumi config rm aep:"),
        ],
    )
    def test_are_named_with_the_nearest_known_one(self, key: str, remedy: str) -> None:
        assert config.unknown_keys([key]) == [f"{key} is not a setting; {remedy}"]

    def test_settings_and_other_namespaces_are_fine(self) -> None:
        keys = [f"aep:{key}" for key in config.VARIABLES]
        assert config.unknown_keys([*keys, "shop:timout", "aws:region", "pulumi:disable-default-providers"]) == []

    def test_are_reported_with_all_other_problems(self) -> None:
        values = {"aep:timout": "5", "aep:timeout": "five", "aep:sandbxo": "dev"}
        with pytest.raises(ConfigError) as caught:
            config.load(values.get, values)
        text = str(caught.value)
        assert "aep:timout is not a setting; did you mean aep:timeout?" in text
        assert "aep:sandbxo is not a setting; did you mean aep:sandbox?" in text
        assert "aep:sandbox is not set" in text
        assert "aep:timeout must be a whole number" in text

    def test_are_not_looked_for_where_keys_cannot_be_listed(self) -> None:
        assert config.load({**KNOWN, "aep:timout": "5"}.get).timeout == 300


class TestOwnerId:
    @pytest.mark.parametrize("value", ["f94a02085963", "A-1", "x" * 64])
    def test_accepted(self, value: str) -> None:
        assert load(ownerId=value).owner_id == value

    @pytest.mark.parametrize("value", ["a]b#c", "a#b", "a.b", "a b", "a/b", "ä", "x" * 65, "a_b"])
    def test_refused(self, value: str) -> None:
        assert problem(ownerId=value).startswith("aep:ownerId must be an identity like f94a02085963")

    def test_line_break(self) -> None:
        assert problem(ownerId="a\nb") == "aep:ownerId must not hold line breaks or other invisible characters"


class TestRenamedFrom:
    def test_accepted(self) -> None:
        assert load(renamedFrom="shop.x/dev-1_b").renamed_from == "shop.x/dev-1_b"
        assert load().renamed_from is None

    @pytest.mark.parametrize(
        "value", ["dev", "a/b/c", "/dev", "shop/", "shop/dev#1", "shop/d]v", "shop/d v", "shöp/dev"]
    )
    def test_refused(self, value: str) -> None:
        assert problem(renamedFrom=value) == f"aep:renamedFrom must be project/stack; got {value}"


def test_allow_mass_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().allow_mass_delete is False
    assert load(allowMassDelete="true").allow_mass_delete is True
    assert problem(allowMassDelete="yes") == "aep:allowMassDelete must be true or false; got yes"
    monkeypatch.setenv("AEP_ALLOW_MASS_DELETE", "true")
    assert load().allow_mass_delete is True


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            *("http://[::1]evil", "http://[::1", "https://[zz]", "https://[1:2]", "https://[::1]]"),
            *("https://a..b", "https://.", "https://-a", "https://a b", "https://a\\b", "https://a?b=c", "https://a#b"),
            *("https://a:0", "https://a:99999", "https://a:", "https://a:b", "https://a:٣", "http://127.0.0.1:99999"),
            *("http://127.0.0.1\\.evil", "http://localhost%2eevil", "https://ä.example", "https:/a", "https:a"),
        ],
    )
    @pytest.mark.parametrize("key", ["endpoint", "imsEndpoint"])
    def test_odd_ones_are_refused(self, key: str, url: str) -> None:
        assert problem(**{key: url}).startswith(
            f"aep:{key} must be an https:// address (http:// only for this machine)"
        )

    @pytest.mark.parametrize(
        "url",
        ["https://a.example:8443", "https://a.example/aep/v1", "https://[2001:db8::1]:8443", "http://[::1]:8700"],
    )
    def test_accepted(self, url: str) -> None:
        assert load(endpoint=url).endpoint == url
        assert load(endpoint=f"{url}/").endpoint == url


class TestEmulatorPort:
    @pytest.mark.parametrize("port", ["abc", "99999", "0", "-1", "8700x", "87 00", "8700\n", "٣", "1" * 5000])
    def test_refused(self, port: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AEP_EMULATOR_PORT", port)
        with pytest.raises(ConfigError) as caught:
            config.load(OFFLINE.get)
        assert str(caught.value) == f"AEP_EMULATOR_PORT must be a port from 1 to 65535; got {port!r}"
        assert load().endpoint == config.PLATFORM, "elsewhere it does not matter"

    def test_accepted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert config.load(OFFLINE.get).endpoint == "http://127.0.0.1:8700"
        monkeypatch.setenv("AEP_EMULATOR_PORT", "65535")
        assert config.load(OFFLINE.get).ims_endpoint == "http://127.0.0.1:65535"


class TestCharacters:
    @pytest.mark.parametrize("key", [key for key in config.VARIABLES if key != "clientSecret"])
    @pytest.mark.parametrize("value", ["a\nb", "a\x00b", "a\u200bb", "a\x1b[31mb", "a\u2028b", "a\u00a0b"])
    def test_invisible_ones_are_refused(self, key: str, value: str) -> None:
        assert problem(**{key: value}) == f"aep:{key} must not hold line breaks or other invisible characters"

    @pytest.mark.parametrize("value", ["canary\nsecret", "<canary>"])
    def test_a_secret_is_refused_without_its_value(self, value: str) -> None:
        text = problem(clientSecret=value)
        assert text.startswith("aep:clientSecret ")
        assert "canary" not in text

    def test_a_secret_may_have_spaces(self) -> None:
        assert load(clientSecret="a canary, with ä").client_secret == "a canary, with ä"

    def test_blanks_around_a_value_are_dropped(self) -> None:
        assert load(sandbox=" dev\n").sandbox == "dev"
        assert problem(sandbox=" \n").startswith("aep:sandbox is not set")

    @pytest.mark.parametrize("key", ["timeout", "concurrency"])
    @pytest.mark.parametrize("value", ["٣", "1" * 5000, "1e3", "+1", "0", "-1", "1.0"])
    def test_numbers(self, key: str, value: str) -> None:
        assert f"aep:{key} must be a whole number" in problem(**{key: value})

    @pytest.mark.parametrize("value", ["openid,ä", "a\tb", "<scopes>"])
    def test_scopes(self, value: str) -> None:
        assert problem(scopes=value).startswith("aep:scopes ")
        assert load(scopes="openid, session").scopes == "openid,session"


class TestProtects:
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({"sandbox": "prod"}, True),
            ({"sandbox": "dev"}, False),
            ({"sandbox": "emea", "production": "true"}, True),
            ({"sandbox": "prod", "allowProductionDeletes": "true"}, False),
            ({"sandbox": "prod", "allowProductionDeletes": "false"}, True),
            ({}, False),
        ],
    )
    def test_production_without_a_call(self, settings: dict[str, str], expected: bool) -> None:
        assert config.protects({f"aep:{key}": value for key, value in settings.items()}.get) is expected

    def test_the_environment_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AEP_SANDBOX", "prod")
        assert config.protects(lambda key: None)
