"""pydantic's findings in the user's words; whole messages are in the golden faults."""

from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

from mailstack.model.principal import Role
from mailstack.spec.document import Document
from mailstack.spec.explain import explain, type_at
from mailstack.spec.faults import Path
from mailstack.spec.model import Spec
from mailstack.spec.sections.accounts import Account
from mailstack.spec.sections.domains import Provider
from mailstack.spec.yaml_text import compose


def messages(text: str) -> list[str]:
    document = Document(compose(text.encode(), "a.yaml"))
    with pytest.raises(ValidationError) as caught:
        Spec.model_validate(document.values)
    return [str(fault) for fault in sorted(explain(caught.value, document, Spec))]


def whole(more: str) -> str:
    return f"server: {{hostname: mail.example.com}}\ndomains: {{example.com: }}\n{more}"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("storage: {path: 5}", "storage.path: not a path"),
        ("storage: {path: ''}", "storage.path: not a path"),
        ("aliases: {a@example.com: {b: c}}", "aliases[a@example.com]: a list is needed here, not a mapping"),
        (
            "accounts: {a@example.com: true}",
            "accounts[a@example.com]: a mapping (key: value) is needed here, not true or false",
        ),
        ("routes: [5]", "routes[0]: a mapping (key: value) is needed here, not a number"),
        ("routes: [{via: ''}]", "routes[0].via: the text is empty"),
        ("routes: [{via: 5}]", "routes[0].via: text is needed here, not a number (put it in quotes)"),
        (
            "accounts: {a@example.com: {roles: [[admin]]}}",
            "accounts[a@example.com].roles[0]: a list is not allowed here (allowed: admin)",
        ),
        (
            f"accounts: {{a@example.com: {{name: {'x' * 201}}}}}",
            "accounts[a@example.com].name: the text is too long (at most 200 characters)",
        ),
    ],
)
def test_message(more: str, message: str) -> None:
    found = messages(whole(more))
    assert [line.partition(": ")[2] for line in found] == [message]


def test_what_follows_from_another_fault_is_left_out() -> None:
    found = messages(whole("relays: {r: {host: relay.example, tls: ssl}}\naccounts: {a@example.com: {can: [x, read]}}"))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), Spec),
        (("server", "hostname"), str),
        (("accounts", "a@example.com"), Account),
        (("accounts", "a@example.com", "roles", 0), Role),
        (("dns", "providers", "x"), Provider),
        (("dns", "providers", "x", "class"), str),
        (("apiVersion",), None),
        (("nowhere", "at", "all"), None),
        (("server", "hostname", "x"), None),
    ],
)
def test_type_at(path: Path, expected: type[BaseModel] | None) -> None:
    found = type_at(Spec, path)
    assert found is expected or "mailstack/v1" in get_args(found)
