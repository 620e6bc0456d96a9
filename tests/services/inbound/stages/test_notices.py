"""Who may hear that a mail has arrived. RFC 3461 §4.1."""

from dataclasses import replace

import pytest

from mailstack.model.address import parse_address
from mailstack.model.handling import UNASKED, Handling, Notification, NotifyOn, Returned
from mailstack.model.verdict import Authentication, DmarcResult, DmarcVerdict, SpfResult
from mailstack.services.inbound.mail import Recipient
from mailstack.services.inbound.stages.notices import forget_notices_of_success
from tests.services.inbound.stages.test_judge import MAIL
from tests.support.senders import known, sender_policy
from tests.support.smtp_world import SmtpWorld

WISHES = (
    Notification(notify_on=frozenset({NotifyOn.SUCCESS, NotifyOn.FAILURE}), original_recipient="rfc822;b@y.example"),
    Notification(notify_on=frozenset()),
    UNASKED,
)
LEFT = (replace(WISHES[0], notify_on=frozenset({NotifyOn.FAILURE})), *WISHES[1:])
UNKNOWN = DmarcVerdict(result=DmarcResult.NONE)


@pytest.mark.parametrize(
    ("found", "trusted", "left"),
    [
        (known(UNKNOWN, spf=SpfResult.PASS), (), WISHES),
        (known(UNKNOWN, spf=SpfResult.SOFTFAIL), (), LEFT),
        (None, (), LEFT),
        (None, ("192.0.2.0/24",), WISHES),
        (None, ("198.51.100.0/24",), LEFT),
    ],
)
async def test_success_is_told_to_whom_somebody_vouches_for(
    found: Authentication | None, trusted: tuple[str, ...], left: tuple[Notification, ...]
) -> None:
    recipients = tuple(
        Recipient(address=parse_address("a@example.com"), text="a@example.com", notification=wish) for wish in WISHES
    )
    mail = replace(MAIL.to(recipients), handling=Handling(returned=Returned.FULL, envelope_id="Q1"))
    receiving = SmtpWorld(senders=sender_policy(trusted_peers=trusted)).service().inbound.receiving
    kept = await forget_notices_of_success(receiving, mail if found is None else mail.authenticated(found))
    assert tuple(recipient.notification for recipient in kept.recipients) == left
    # RFC 3461 §4.3: whole mails are sent back to nobody who may not have sent them.
    assert kept.handling == Handling(returned=Returned.FULL if left == WISHES else None, envelope_id="Q1")
