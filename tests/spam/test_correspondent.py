"""How far the sender of a mail is proven, and what it may be known by."""

from dataclasses import replace

import pytest

from mailstack.model.verdict import DkimResult, DmarcResult, IprevResult, SpfResult
from mailstack.spam.correspondent import Correspondent, Standing, SubjectKind, speaks_for
from mailstack.spam.sender import Sender

NOBODY = Sender(
    network="192.0.2.0/24",
    host="",
    helo="x",
    mail_from_domain="",
    verified_domain="",
    is_tls=False,
    iprev=IprevResult.FAIL,
    spf=SpfResult.NONE,
    dkim=DkimResult.NONE,
    dmarc=DmarcResult.NONE,
)
PROVEN, UNPROVEN, FORGED = Standing


def sent_by(author: str = "a@shop.example", **known: object) -> Correspondent:
    return Correspondent(author=author, sender=replace(NOBODY, **known), peer_host="192.0.2.1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (sent_by(), UNPROVEN),
        (sent_by(dmarc=DmarcResult.PASS, verified_domain="shop.example"), PROVEN),
        (sent_by(dmarc=DmarcResult.FAIL, spf=SpfResult.PASS, mail_from_domain="shop.example"), FORGED),
        (sent_by(dmarc=DmarcResult.FAIL, verified_domain="shop.example"), FORGED),
        (sent_by(dmarc=DmarcResult.TEMPERROR), UNPROVEN),
        # Without a policy, what passes and is aligned.
        (sent_by(verified_domain="shop.example"), PROVEN),
        (sent_by("a@mail.shop.example", verified_domain="shop.example"), PROVEN),
        (sent_by(verified_domain="mail.shop.example"), UNPROVEN),
        (sent_by(verified_domain="op.example"), UNPROVEN),
        (sent_by(verified_domain="sender.example"), UNPROVEN),
        (sent_by(spf=SpfResult.PASS, mail_from_domain="shop.example"), PROVEN),
        (sent_by(spf=SpfResult.PASS, mail_from_domain="Shop.Example"), PROVEN),
        (sent_by(spf=SpfResult.PASS, mail_from_domain="sender.example"), UNPROVEN),
        (sent_by(spf=SpfResult.NEUTRAL, mail_from_domain="shop.example"), UNPROVEN),
        (sent_by(spf=SpfResult.FAIL, mail_from_domain="shop.example"), FORGED),
        (sent_by(spf=SpfResult.SOFTFAIL, mail_from_domain="shop.example"), FORGED),
        (sent_by(spf=SpfResult.FAIL, mail_from_domain="sender.example"), UNPROVEN),
        (sent_by(spf=SpfResult.FAIL, mail_from_domain="shop.example", verified_domain="shop.example"), PROVEN),
        (sent_by("", dmarc=DmarcResult.PASS), UNPROVEN),
        (Correspondent(author="a@shop.example", sender=None), UNPROVEN),
    ],
)
def test_what_is_proven(found: Correspondent, expected: Standing) -> None:
    assert found.standing is expected


ADDRESS, DOMAIN, SIGNER, HOST, NETWORK = SubjectKind
BROUGHT = ((HOST, "192.0.2.1"), (NETWORK, "192.0.2.0/24"))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (sent_by(), BROUGHT),
        (
            sent_by(dmarc=DmarcResult.PASS, verified_domain="shop.example"),
            ((ADDRESS, "a@shop.example"), (DOMAIN, "shop.example"), *BROUGHT),
        ),
        (
            sent_by(spf=SpfResult.PASS, mail_from_domain="shop.example"),
            ((ADDRESS, "a@shop.example"), (DOMAIN, "shop.example"), *BROUGHT),
        ),
        (sent_by(verified_domain="sender.example"), ((SIGNER, "sender.example"), *BROUGHT)),
        (
            sent_by("a@mail.shop.example", verified_domain="shop.example"),
            ((ADDRESS, "a@mail.shop.example"), (DOMAIN, "shop.example"), *BROUGHT),
        ),
        (
            sent_by(spf=SpfResult.PASS, mail_from_domain="shop.example", verified_domain="sender.example"),
            ((ADDRESS, "a@shop.example"), (DOMAIN, "shop.example"), *BROUGHT),
        ),
        (sent_by(dmarc=DmarcResult.FAIL), BROUGHT),
        (replace(sent_by(), peer_host=""), BROUGHT[1:]),
        *((replace(sent_by(), peer_host=near), ()) for near in ("127.0.0.1", "10.1.2.3", "fd00::1")),
        (replace(sent_by(), peer_host="2001:db8:1:2:3::4"), ((HOST, "2001:db8:1:2::/64"), BROUGHT[1])),
        (Correspondent(author="a@shop.example", sender=None, peer_host="192.0.2.1"), ()),
    ],
)
def test_what_it_is_known_by(found: Correspondent, expected: tuple[tuple[SubjectKind, str], ...]) -> None:
    assert found.subjects == expected


@pytest.mark.parametrize(
    ("domain", "other", "expected"),
    [
        ("a.test", "a.test", True),
        ("a.test", "b.a.test", True),
        ("b.a.test", "a.test", False),
        ("a.test", "ba.test", False),
        ("", "a.test", False),
    ],
)
def test_a_domain_speaks_for_those_below_it(domain: str, other: str, *, expected: bool) -> None:
    assert speaks_for(domain, other) is expected
