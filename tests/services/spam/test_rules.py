"""Rules as one of those who say what they know of a mail."""

import pytest

from mailstack.formats.addresses import Mailbox
from mailstack.model.verdict import DmarcResult
from mailstack.services.inbound.deliver import LARGE_BYTES
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.rules import RuleSource, evidence_of
from mailstack.services.spam.sender import sender_of
from mailstack.spam.rules.own import Compares, How, OwnRule, OwnRules, Part
from tests.support.evidence import HONEST, NOW, OURS, checked, with_field
from tests.support.examined import examined

CAROL = Compares(part=Part.FROM, how=How.DOMAIN, texts=("shop.example",))
KNOWN = checked(dmarc=DmarcResult.PASS)
SOURCE = RuleSource(ours=OURS, own=OwnRules([OwnRule(name="shop", points=-2, condition=CAROL)]))


def brought(raw: bytes) -> Examined:
    return examined(
        raw,
        authentication=KNOWN,
        author=Mailbox(name=b"Carol", local_part=b"carol", domain=b"shop.example"),
        sender=sender_of(
            KNOWN,
            peer_host="203.0.113.7",
            peer_name="",
            ehlo_domain="localhost",
            protocol="ESMTP",
            reverse_path="carol@shop.example",
        ),
        peer_host="203.0.113.7",
        ehlo_domain="localhost",
        reverse_path="carol@shop.example",
        received_at=NOW,
    )


@pytest.mark.parametrize("raw", [HONEST, HONEST + b"x" * LARGE_BYTES], ids=["small", "large"])
async def test_rules_of_ours_and_of_the_spec(raw: bytes) -> None:
    found = await SOURCE.findings(brought(raw))
    assert [(one.rule, one.points) for one in found] == [("dmarc-pass", -0.3), ("ehlo-local", 1.5), ("shop", -2)]


def test_all_that_is_known_is_seen() -> None:
    mail = evidence_of(brought(with_field(b"Subject", b"ACT NOW OR LOSE")), OURS)
    assert b"subject all in capitals" in mail.tokens
    assert (mail.author_address, mail.author_domain, mail.author_name) == (
        "carol@shop.example",
        "shop.example",
        "Carol",
    )
    assert mail.is_proven
