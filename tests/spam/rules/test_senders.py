"""Rules about who brings a mail: what holds, and what wins where several would."""

from collections.abc import Mapping
from typing import Any

import pytest

from mailstack.model.verdict import DkimResult, DmarcPolicy, DmarcResult, IprevResult, SpfResult
from mailstack.spam.rules.rule import findings_of
from mailstack.spam.rules.senders import RULES
from tests.support.evidence import HONEST, checked, evidence, with_field

FAIL = {"dmarc": DmarcResult.FAIL, "spf": SpfResult.FAIL}


def names(raw: bytes = HONEST, known: Mapping[str, Any] | None = None, **changes: Any) -> list[str]:
    mail = evidence(raw, authentication=checked(**(known or {})), **changes)
    return [finding.rule for finding in findings_of(RULES, mail)]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, []),
        ({"dmarc": DmarcResult.PASS}, ["dmarc-pass"]),
        # Forwarded: the envelope fails, the signature holds.
        ({"dmarc": DmarcResult.PASS, "spf": SpfResult.FAIL}, ["dmarc-pass"]),
        ({**FAIL, "policy": DmarcPolicy.REJECT}, ["dmarc-fail-reject"]),
        ({**FAIL, "policy": DmarcPolicy.QUARANTINE}, ["dmarc-fail-quarantine"]),
        (FAIL, ["spf-fail"]),
        ({"dmarc": DmarcResult.FAIL}, ["dmarc-fail"]),
        ({**FAIL, "policy": DmarcPolicy.REJECT, "sealed": "lists.example; dmarc=pass"}, ["unauthenticated"]),
        ({"spf": SpfResult.SOFTFAIL}, ["spf-softfail"]),
        ({"spf": SpfResult.NONE}, ["unauthenticated"]),
        ({"spf": SpfResult.TEMPERROR}, []),
        ({"spf": SpfResult.NONE, "dmarc": DmarcResult.TEMPERROR}, []),
        ({"spf": SpfResult.NONE, "helo": SpfResult.PASS}, []),
        ({"spf": SpfResult.NONE, "dkim": [("esp.example", DkimResult.PASS)]}, []),
        ({"dkim": [("shop.example", DkimResult.FAIL)]}, ["dkim-broken"]),
        ({"dkim": [("shop.example", DkimResult.FAIL), ("esp.example", DkimResult.PASS)]}, []),
        ({"dkim": [("other.example", DkimResult.FAIL)]}, []),
    ],
)
def test_of_what_was_checked_one_thing_counts(known: Mapping[str, Any], expected: list[str]) -> None:
    assert names(known=known) == expected


def test_who_says_to_be_ours_needs_proof() -> None:
    forged = with_field(b"From", b"Boss <boss@example.org>")
    assert names(forged) == ["from-ours"]
    assert names(forged, {"spf_domain": "example.org"}) == []
    assert names(with_field(b"From", b"boss@example.org\r\nList-Id: <l.lists.example>")) == []


def test_a_bounce_has_nobody_to_vouch_for_it() -> None:
    assert names(known={"spf": SpfResult.NONE}, reverse_path="") == []


@pytest.mark.parametrize(
    ("ehlo", "known", "expected"),
    [
        ("out.shop.example.", {}, []),
        ("mx.example.org", {}, ["ehlo-ours"]),
        ("EXAMPLE.org.", {}, ["ehlo-ours"]),
        ("mx.example.org", {"host": "mx.example.org"}, []),
        ("mx.example.org", {"helo": SpfResult.PASS}, []),
        ("localhost.localdomain", {}, ["ehlo-local"]),
        ("desktop-7", {}, ["ehlo-no-name"]),
        ("203.0.113.7", {}, ["ehlo-no-name"]),
        ("[203.0.113.7]", {}, ["ehlo-address"]),
        ("", {}, []),
    ],
)
def test_what_a_host_calls_itself(ehlo: str, known: Mapping[str, Any], expected: list[str]) -> None:
    assert names(known=known, ehlo_domain=ehlo) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"iprev": IprevResult.FAIL}, ["host-without-name"]),
        ({"iprev": IprevResult.TEMPERROR}, []),
        ({"host": "203-0-113-7.dsl.isp.example"}, ["host-numbered"]),
        ({"host": "7.113.0.203.isp.example"}, ["host-numbered"]),
        ({"host": "ip203x000x113x007.isp.example"}, ["host-numbered"]),
        ({"host": "203-0-113-70.isp.example"}, []),
        ({"host": "203-0-113-7.isp.example", "dmarc": DmarcResult.PASS}, ["dmarc-pass"]),
    ],
)
def test_what_the_host_is_called(known: Mapping[str, Any], expected: list[str]) -> None:
    assert names(known=known, ehlo_domain="out.shop.example") == expected


@pytest.mark.parametrize(("path", "expected"), [("a@nowhere", True), ("a@b.local", True), ("a@b.example", False)])
def test_a_return_path_that_leads_nowhere(path: str, expected: bool) -> None:
    assert ("return-path-nowhere" in names(reverse_path=path)) is expected


def test_where_nobody_looked_nothing_is_known() -> None:
    mail = evidence(with_field(b"From", b"boss@example.org"), ehlo_domain="localhost")
    assert findings_of(RULES, mail) == ()


@pytest.mark.parametrize("peer_host", ["127.0.0.1", "192.168.1.20", "fd00::1"])
def test_of_a_host_near_by_nothing_is_asked(peer_host: str) -> None:
    forged = with_field(b"From", b"Scanner <scanner@example.org>")
    assert (
        names(forged, {"spf": SpfResult.FAIL, "iprev": IprevResult.FAIL}, peer_host=peer_host, ehlo_domain="scanner")
        == []
    )
