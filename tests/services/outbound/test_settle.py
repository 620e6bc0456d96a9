"""What the last of many attempts that found nobody comes to. RFC 3463 §3.5, §3.8."""

import pytest

from mailstack.model.delivery import Deferred, Failed, SmtpReply
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.tls_policy import TlsFailure, TlsUsed
from mailstack.services.outbound.settle import settlement
from tests.support.outbound_world import ALICE, OutboundWorld

UNTRUSTED = TlsUsed(policy="sts", failure=TlsFailure.CERTIFICATE_EXPIRED)
NOT_LISTED = TlsUsed(policy="sts", failure=TlsFailure.VALIDATION_FAILURE)


@pytest.mark.parametrize(
    ("status", "host", "tls", "expected"),
    [
        ("4.4.1", "", TlsUsed(policy="opportunistic"), "5.4.7"),
        ("4.7.0", "", NOT_LISTED, "5.7.0"),
        ("4.7.10", "", TlsUsed(policy="sts", failure=TlsFailure.STARTTLS_NOT_SUPPORTED), "5.7.10"),
        ("4.7.5", "", UNTRUSTED, "5.7.5"),
        ("4.7.1", "mx.them.test", TlsUsed(policy="sts", version="TLSv1.3"), "5.4.7"),  # a word of theirs
    ],
)
async def test_mail_that_a_policy_kept_back_to_the_end_comes_back_with_that_reason(
    world: OutboundWorld, status: str, host: str, tls: TlsUsed, expected: str
) -> None:
    item = await world.queued("b@them.test")
    outcome = Deferred(reply=SmtpReply(code=451, status=status, text="mx.them.test: no"), host=host, tls=tls)
    found = settlement(world.service(), item, outcome, b"Subject: hi\r\n\r\n", Instant(item.queued_at + 5 * DAY_MS))
    assert isinstance(found.outcome, Failed)
    reply = found.outcome.reply
    last = f"451 {status} mx.them.test: no"
    assert (reply.code, reply.status) == (554, expected)
    assert reply.text == f"given up after too many days; the last attempt ended in: {last}"
    (notice,) = found.notices
    assert (notice.recipients, found.outcome.tls) == ((ALICE.login,), tls)
    assert f"Status: {expected}".encode() in notice.raw


async def test_until_then_it_waits(world: OutboundWorld) -> None:
    item = await world.queued("b@them.test")
    outcome = Deferred(reply=SmtpReply(code=451, status="4.7.5", text="no"), host="", tls=UNTRUSTED)
    found = settlement(world.service(), item, outcome, b"Subject: hi\r\n\r\n", item.queued_at)
    assert found.outcome == outcome
    assert found.next_at is not None
