"""The models themselves: everything described, everything frozen, good defaults."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from mailstack.spec.model import Spec
from mailstack.spec.sections.domains import Provider
from mailstack.spec.sections.section import Section


def models() -> list[type[BaseModel]]:
    def below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for child in model.__subclasses__():
            yield child
            yield from below(child)

    return [*below(Section), Provider]


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_is_described(model: type[BaseModel]) -> None:
    assert {name for name, field in model.model_fields.items() if not field.description} == set()


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_models_are_strict_and_frozen(model: type[BaseModel]) -> None:
    assert model.model_config.get("frozen")
    assert model.model_config.get("strict")
    assert model.model_config.get("extra") == ("allow" if model is Provider else "forbid")


def test_two_keys_make_a_spec() -> None:
    spec = Spec.model_validate({"server": {"hostname": "mail.example.com"}, "domains": {"example.com": None}})
    assert spec.server.listeners.smtp == (":25",)
    assert spec.server.limits.message_size == 50 << 20
    assert spec.domains["example.com"].dkim.algorithms == ("rsa2048", "ed25519")
    assert spec.domains["example.com"].mta_sts is None


@pytest.mark.parametrize(("tls", "port"), [("implicit", 465), ("starttls", 587), ("none", 25)])
def test_a_relays_port_follows_from_its_tls(tls: str, port: int) -> None:
    relays = {"r": {"host": "relay.example", "tls": tls}}
    settings = {"server": {"hostname": "mail.example.com"}, "domains": {"example.com": {}}, "relays": relays}
    assert Spec.model_validate(settings).relays["r"].port == port


def test_a_providers_settings_are_all_but_its_class() -> None:
    provider = Provider.model_validate({"class": "a.B", "token": "env/T", "zones": ("a", {"b": ("c",)})})
    assert (provider.class_, provider.settings) == ("a.B", {"token": "env/T", "zones": ["a", {"b": ["c"]}]})


def test_a_validation_error_holds_no_input() -> None:
    settings = {"password": "hunter2", "name": ["hunter2"], "quota": "hunter2"}
    with pytest.raises(ValidationError) as caught:
        Spec.model_validate({"accounts": {"a@example.com": settings}})
    assert "hunter2" not in str(caught.value)
