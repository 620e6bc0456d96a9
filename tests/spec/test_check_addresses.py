"""Addresses that hold together; those that do not are golden faults."""

import pytest

from mailstack.spec.check_addresses import AddressBook, check_addresses
from mailstack.spec.document import Document
from mailstack.spec.outline import outline
from mailstack.spec.yaml_text import compose

SPEC = """\
domains:
  example.com: {subaddress_separators: "+-"}
  example.net: {alias_of: example.com}
  example.org: {catch_all: alice@example.com, subaddress_separators: ""}
  lost.example: {alias_of: gone.example}
accounts:
  alice@example.com: {addresses: [a@example.org, x-y@example.com]}
aliases:
  info@example.com: alice@example.net
"""


def book() -> AddressBook:
    return AddressBook(outline(Document(compose(SPEC.encode(), "a.yaml")).values))


def faults(text: str) -> list[str]:
    document = Document(compose(text.encode(), "a.yaml"))
    return [fault.message for fault in check_addresses(document, outline(document.values))]


def test_owner() -> None:
    found = {
        address: book().owner_of(address)
        for address in (
            "alice@example.com",
            "alice+shop@example.com",
            "alice-shop+x@example.com",
            "x-y@example.com",  # owned as it stands, before any detail is taken off
            "x-y-z@example.com",
            "alice@example.net",
            "info+x@example.net",
            "+x@example.com",
            "a+x@example.org",
            "alice@elsewhere.example",
            "x@lost.example",
        )
    }
    assert found == {
        "alice@example.com": "alice@example.com",
        "alice+shop@example.com": "alice@example.com",
        "alice-shop+x@example.com": "alice@example.com",
        "x-y@example.com": "x-y@example.com",
        "x-y-z@example.com": None,
        "alice@example.net": "alice@example.com",
        "info+x@example.net": "info@example.com",
        "+x@example.com": None,
        "a+x@example.org": None,
        "alice@elsewhere.example": None,
        "x@lost.example": None,
    }


def test_lost() -> None:
    assert not book().why_lost("anybody@example.org")  # caught
    assert not book().why_lost("anybody@elsewhere.example")  # not ours
    assert "nobody here has" in book().why_lost("anybody@example.net")
    assert "nobody here has" in book().why_unowned("anybody@example.org")


def test_only_the_alias_to_an_undeclared_domain_is_wrong() -> None:
    assert faults(SPEC) == ["the domain gone.example is not declared in domains"]


def test_a_long_chain_of_aliases_is_legal() -> None:
    links = "".join(f"  a{number}@example.com: a{number + 1}@example.com\n" for number in range(5_000))
    assert not faults(f"domains: {{example.com: }}\naccounts: {{a5000@example.com: }}\naliases:\n{links}")


def test_every_loop_is_found_once() -> None:
    text = "domains: {example.com: }\naliases:\n"
    for name, targets in {"a": "b, c", "b": "a", "c": "d", "d": "c, e", "e": "e", "f": "a"}.items():
        addresses = ", ".join(f"{target}@example.com" for target in targets.split(", "))
        text += f"  {name}@example.com: [{addresses}]\n"
    loops = [message.replace("@example.com", "").partition(": ")[2] for message in faults(text)]
    assert loops == ["a → b → a", "c → d → c", "e → e"]


@pytest.mark.parametrize(("length", "shown"), [(8, "a7 → a0"), (9, "a7 → … → a0"), (3_000, "a7 → … → a0")])
def test_a_long_circle_is_cut(length: int, shown: str) -> None:
    links = "".join(f"  a{number}@example.com: a{(number + 1) % length}@example.com\n" for number in range(length))
    (message,) = faults(f"domains: {{example.com: }}\naliases:\n{links}")
    assert message.replace("@example.com", "").endswith(f"a0 → a1 → a2 → a3 → a4 → a5 → a6 → {shown}")


def test_a_thousand_domains_in_a_circle_are_a_thousand_short_faults() -> None:
    text = "".join(f"  d{number}.example: {{alias_of: d{(number + 1) % 1_000}.example}}\n" for number in range(1_000))
    found = faults(f"domains:\n{text}")
    assert len(found) == 1_000
    assert max(map(len, found)) < 100


def test_nothing_of_the_wrong_shape_is_looked_at() -> None:
    assert not faults("domains: [a]\naccounts: 5\naliases: {a: b, 'c@example.com': [[x]]}")
    assert not faults(
        "domains: {example.com: [x], x: {catch_all: 5, alias_of: [], dmarc: 5}}\naccounts: {a@example.com: 1}"
    )
