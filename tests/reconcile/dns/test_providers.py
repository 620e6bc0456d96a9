"""Providers as the spec names them: built, or refused with the entry and the reason."""

import logging
from pathlib import Path
from typing import cast
from urllib.parse import quote_plus

import pytest
from octodns.provider.base import BaseProvider

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.reconcile.dns.octo import OctoProvider
from mailstack.reconcile.dns.providers import Surroundings, build_provider
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.reconcile.dns.zone_plan import ZoneTarget, plan_zones
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.secrets import SecretMissing
from mailstack.spec.sections.domains import Provider
from tests.support.specs import spec_value


class Talkative(BaseProvider):  # type: ignore[misc]  # octoDNS has no types
    """As some libraries are: the key is in the URL, and the URL in what they say of a fault."""

    SUPPORTS = frozenset({"A"})
    SUPPORTS_GEO = False
    SUPPORTS_DYNAMIC = False
    SUPPORTS_ROOT_NS = False

    def __init__(self, name: str, *, api_key: str, fails: bool = False) -> None:
        self._url = f"/xml?ApiKey={quote_plus(api_key)}"
        if fails:
            raise ValueError(f"bad key: {api_key!r}")
        self.log = logging.getLogger(name)
        super().__init__(name)

    def populate(self, *_: object, **__: object) -> bool:
        raise ConnectionError(f"Max retries exceeded with url: {self._url}")


def test_the_secret_of_a_provider_is_in_none_of_its_faults() -> None:
    path = f"{__name__}.Talkative"
    with pytest.raises(Invalid, match=r"bad key: '\(secret\)'") as refused:
        build(path, api_key="env/KEY", fails=True)
    built = build(path, api_key="env/KEY")
    wanted = (RecordSet(name="one.test", type="A", values=("192.0.2.1",), ttl_s=300),)
    target = ZoneTarget(zone="one.test", provider_name="p", provider=cast(OctoProvider, built), wanted=wanted)
    with pytest.raises(TryAgainLater, match=r"url: /xml\?ApiKey=\(secret\)") as failed:
        plan_zones([target], "0123456789abcdef")
    for raised in (refused, failed):
        assert "below" not in str(raised.value)


FILES = "mailstack.reconcile.dns.zone_file.ZoneFileProvider"


def build(class_path: str, **given: object) -> object:
    def resolve(reference: str, directory: Path) -> str:
        if reference == "env/MISSING":
            raise SecretMissing("the environment variable MISSING is not set")
        return f"{reference} below {directory}"

    provider = Provider.model_validate({"class": class_path, **given})
    around = Surroundings(resolve=resolve, directory=Path("/etc/mailstack"), fault_at=spec_value({}).fault)
    return build_provider("p", provider, around)


def test_settings_go_to_the_class_as_they_are_and_secrets_are_read() -> None:
    built = build("octodns_bind.Rfc2136Provider", host="127.0.0.1", port=5353, key_name="k", key_secret="env/KEY")
    assert (getattr(built, "id"), getattr(built, "port")) == ("p", 5353)  # noqa: B009
    assert getattr(built, "key_secret") == "env/KEY below /etc/mailstack"  # noqa: B009


def test_a_relative_directory_starts_at_the_spec() -> None:
    assert "/etc/mailstack/zones" in str(vars(build(FILES, directory="zones")))


@pytest.mark.parametrize(
    ("class_path", "settings", "told"),
    [
        (
            "octodns_cloudflare.CloudflareProvider",
            {"token": "x"},
            "dns.providers.p.class: the Python package octodns_cloudflare is not installed"
            " (pip install 'mailstack[cloudflare]')",
        ),
        ("octodns_rare.Rare", {}, "octodns_rare is not installed (pip install octodns-rare)"),
        ("nowhere_at_all.Rare", {}, "the Python package nowhere_at_all is not installed"),
        ("octodns_bind.Missing", {}, "dns.providers.p.class: octodns_bind has no class Missing"),
        ("octodns_bind.AxfrSource", {"host": "127.0.0.1"}, "is no octoDNS provider that can be written to"),
        ("octodns_bind.Rfc2136Provider", {}, "missing 1 required positional argument: 'host'"),
        (FILES, {"directory": "d", "tokn": "x"}, "does not take these settings"),
        (FILES, {"directory": "env/MISSING"}, "dns.providers.p.directory: the environment variable MISSING is not set"),
        (FILES, {"directory": {"a": ["env/MISSING"]}}, "dns.providers.p.directory.a[0]: the environment variable"),
        ("octodns_bind.Rfc2136Provider", {"host": "127.0.0.1", "port": "x"}, "ValueError"),
    ],
)
def test_what_cannot_be_built_is_told(class_path: str, settings: dict[str, object], told: str) -> None:
    with pytest.raises((SpecInvalid, Invalid)) as raised:
        build(class_path, **settings)
    assert told in str(raised.value)


def test_a_class_that_is_no_provider_is_never_called(tmp_path: Path) -> None:
    """subprocess.Popen would run the provider's name."""
    with pytest.raises(SpecInvalid, match="is no octoDNS provider"):
        build("subprocess.Popen", cwd=str(tmp_path / "gone"))


def test_no_secret_stands_in_the_reason() -> None:
    with pytest.raises(SpecInvalid) as raised:
        build(FILES, directory="d", token="env/KEY")
    assert "below" not in str(raised.value)
