"""Who is let in or kept out by name: what an entry means, which of several counts; a forged From opens no door."""

import pytest

from mailstack.model.verdict import DkimResult, DmarcResult, SpfResult
from mailstack.spam.allow_block import AllowBlock, Match, claimed_of, entry_of, match_of
from mailstack.spam.rules.evidence import Evidence
from tests.support.evidence import checked, evidence, with_field

PROVEN = evidence(authentication=checked(dmarc=DmarcResult.PASS))
FORGED = evidence(authentication=checked(dmarc=DmarcResult.FAIL))


def match(mail: Evidence, *, allow: tuple[str, ...] = (), block: tuple[str, ...] = ()) -> Match | None:
    return AllowBlock(allow=allow, block=block).match(mail)


@pytest.mark.parametrize(
    "entry", ["carol@shop.example", "Carol@SHOP.example", "shop.example", "203.0.113.7", "203.0.113.0/24"]
)
def test_each_kind_of_entry_names_the_sender(entry: str) -> None:
    assert match(PROVEN, allow=(entry,)) == Match(entry=entry, is_allowed=True)
    assert match(PROVEN, block=(entry,)) == Match(entry=entry, is_allowed=False)


@pytest.mark.parametrize("entry", ["dave@shop.example", "*.shop.example", "hop.example", "203.0.114.0/24"])
def test_others_it_does_not_name(entry: str) -> None:
    assert match(PROVEN, allow=(entry,)) is None


def test_all_below_a_domain() -> None:
    mail = evidence(with_field(b"From", b"a@news.eu.shop.example"), authentication=checked(dmarc=DmarcResult.PASS))
    assert match(mail, allow=("*.shop.example",)) is not None
    assert match(mail, allow=("shop.example",)) is None


@pytest.mark.parametrize("entry", ["carol@shop.example", "shop.example"])
def test_a_forged_author_is_blocked_and_not_let_in(entry: str) -> None:
    assert match(FORGED, allow=(entry,)) is None
    assert match(FORGED, block=(entry,)) is not None
    assert match(evidence(), allow=(entry,)) is None


@pytest.mark.parametrize(
    ("dkim", "spf_domain", "expected"),
    [
        ((), "shop.example", True),
        ((), "esp.example", False),
        ([("shop.example", DkimResult.PASS)], "esp.example", True),
        ([("shop.example", DkimResult.FAIL)], "esp.example", False),
        ([("example", DkimResult.PASS)], "esp.example", True),
        ([("sub.shop.example", DkimResult.PASS)], "esp.example", False),
    ],
)
def test_without_dmarc_a_domain_proves_itself(
    dkim: list[tuple[str, DkimResult]], spf_domain: str, expected: bool
) -> None:
    known = checked(dkim=dkim, spf_domain=spf_domain)
    assert (match(evidence(authentication=known), allow=("shop.example",)) is not None) is expected


def test_an_envelope_that_failed_proves_nothing() -> None:
    known = checked(spf=SpfResult.SOFTFAIL)
    assert match(evidence(authentication=known), allow=("shop.example",)) is None


def test_a_network_is_that_of_who_brings_it() -> None:
    assert match(FORGED, allow=("203.0.113.0/24",)) is not None
    assert match(evidence(peer_host="::ffff:203.0.113.7"), allow=("203.0.113.0/24",)) is not None
    assert match(evidence(peer_host="2001:db8::7"), allow=("2001:db8::/32", "203.0.113.0/24")) is not None
    assert match(evidence(peer_host=""), allow=("203.0.113.0/24",)) is None


def test_the_return_path_blocks_and_opens_nothing() -> None:
    known = checked(dmarc=DmarcResult.PASS)
    mail = evidence(authentication=known, reverse_path="bounce@esp.example")
    assert match(mail, block=("esp.example",)) is not None
    assert match(mail, allow=("esp.example",)) is None


@pytest.mark.parametrize(
    ("allow", "block", "expected"),
    [
        (("carol@shop.example",), ("shop.example",), "carol@shop.example"),
        (("shop.example",), ("carol@shop.example",), "carol@shop.example"),
        (("shop.example",), ("203.0.113.7",), "shop.example"),
        (("203.0.113.0/24",), ("203.0.113.7",), "203.0.113.7"),
        (("203.0.113.7",), ("203.0.113.0/24",), "203.0.113.7"),
        # As specific: it stays out.
        (("shop.example",), ("shop.example",), "shop.example"),
    ],
)
def test_the_most_specific_counts(allow: tuple[str, ...], block: tuple[str, ...], expected: str) -> None:
    found = match(PROVEN, allow=allow, block=block)
    assert found is not None
    assert (found.entry, found.is_allowed) == (expected, expected not in block)


def test_an_account_is_asked_before_its_domain_and_the_server() -> None:
    account, domain, server = (
        AllowBlock(allow=("shop.example",)),
        AllowBlock(),
        AllowBlock(block=("carol@shop.example",)),
    )
    assert match_of((account, domain, server), PROVEN) == Match(entry="shop.example", is_allowed=True)
    assert match_of((AllowBlock(), domain, server), PROVEN) == Match(entry="carol@shop.example", is_allowed=False)
    assert match_of((), PROVEN) is None


@pytest.mark.parametrize(
    "text", ["", "example", "a b@example.org", "@example.org", "192.0.2.1/24", "*.", "[192.0.2.1]", "a..b"]
)
def test_what_is_no_entry(text: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        entry_of(text)


def test_whom_an_entry_would_let_in_is_told_where_nothing_proves_it() -> None:
    levels = (AllowBlock(block=("other.example",)), AllowBlock(allow=("shop.example", "203.0.113.0/24")))
    assert claimed_of(levels, FORGED) == "shop.example"
    assert claimed_of(levels, evidence()) == "shop.example"
    assert claimed_of(levels, PROVEN) is None
    assert claimed_of(levels[:1], FORGED) is None
