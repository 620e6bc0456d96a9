"""Tests that can be meant; those that cannot are golden faults."""

from mailstack.spec.check_tests import check_tests
from mailstack.spec.document import Document
from mailstack.spec.outline import outline
from mailstack.spec.yaml_text import compose

HEAD = "domains: {example.com: }\naccounts: {Alice@example.com: , bob@example.com: }\nrelays: {ses: {host: a}}\n"


def messages(tests: str) -> list[str]:
    document = Document(compose(f"{HEAD}tests:\n{tests}".encode(), "a.yaml"))
    return [fault.message for fault in check_tests(document, outline(document.values))]


def test_names_are_compared_as_the_directory_does() -> None:
    send = "{as: aLiCe@example.com, to: x@y.example}"
    assert not messages(
        f"- {{name: a, send: {send}, expect: {{delivered: ALICE@EXAMPLE.COM, forwarded: x@y.example}}}}"
    )


def test_an_account_by_another_account_may_be_refused_beside_one_that_is_not() -> None:
    send = "{from: x@y.example, to: [alice@example.com, bob@example.com]}"
    expect = "{delivered: alice@example.com, rejected: {to: bob@example.com}}"
    assert not messages(f"- {{name: a, send: {send}, expect: {expect}}}")


def test_a_record_that_must_be_there_may_have_values() -> None:
    assert not messages("- {name: a, dns: {name: a.example, type: MX}, expect: {absent: false, count: 1}}")


def test_what_has_the_wrong_shape_is_left_to_the_models() -> None:
    assert not messages("- 5\n- [a]")
    odd = "{delivered: [[a]], forwarded: {a: [b]}, rejected: [x]}"
    assert messages(f"- {{name: [x], send: 5, expect: {odd}}}") == [
        "a mail that is rejected as a whole is not delivered (rejected: {to: …} or {by: …}: in part)",
        "a mail that is rejected as a whole is not forwarded (rejected: {to: …} or {by: …}: in part)",
    ]
    assert not messages("- {name: a, dns: x, expect: 7}")


def test_where_no_accounts_are_declared_none_is_known() -> None:
    document = Document(
        compose(b"tests: [{name: a, send: {as: a@b.example, to: c@d.example}, expect: {rejected: 5}}]", "a")
    )
    found = list(check_tests(document, outline(document.values)))
    assert [fault.message for fault in found] == ["no such account in accounts"]
