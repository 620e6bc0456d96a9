"""Sending, whole: submission, the queue, DNS and SMTP over loopback, a sink that checks the signatures."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import dkim
from tests.support.outbound_world import ALICE
from tests.support.running import running
from tests.support.sending import MESSAGE, ORIGIN, Sending, sending_world


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    async with sending_world(tmp_path / "store") as found:
        yield found


async def test_a_submitted_mail_reaches_the_sink_with_two_valid_signatures(sending: Sending) -> None:
    await sending.submission.submit(ALICE, "alice@example.com", ["b@them.test", "c@them.test"], MESSAGE, ORIGIN)
    async with running(sending.runner().run()):
        await sending.until_empty()
    ((reverse_path, recipients, content),) = sending.sink.received
    assert (reverse_path, recipients) == ("alice@example.com", ["b@them.test", "c@them.test"])
    assert content.endswith(MESSAGE)

    def dns(name: bytes, timeout: int = 5) -> bytes:
        return sending.records[name.decode().partition(".")[0]]

    assert [dkim.DKIM(content).verify(idx=index, dnsfunc=dns) for index in range(2)] == [True, True]


@pytest.mark.parametrize(
    ("recipient", "status"), [("nobody@them.test", b"5.1.1"), ("x@null.test", b"5.1.10"), ("x@gone.test", b"5.1.2")]
)
async def test_what_cannot_be_delivered_comes_back_to_its_sender(
    sending: Sending, recipient: str, status: bytes
) -> None:
    await sending.submission.submit(ALICE, "alice@example.com", [recipient], MESSAGE, ORIGIN)
    async with running(sending.runner().run()):
        await sending.until_empty()
    (notice,) = sending.world.messages.raws(ALICE.account_id)
    assert b"Final-Recipient: rfc822; " + recipient.encode() in notice
    assert b"\r\nStatus: " + status + b"\r\n" in notice
    assert not sending.sink.received


async def test_two_hundred_mails_leave_once_each(sending: Sending) -> None:
    for number in range(200):
        raw = MESSAGE.replace(b"dots", b"mail %d" % number)
        await sending.submission.submit(ALICE, "alice@example.com", [f"u{number}@them.test"], raw, ORIGIN)
    first, second = sending.runner("r1"), sending.runner("r2")
    async with running(first.run()), running(second.run()):
        await sending.until_empty()
    assert sorted(recipients[0] for _, recipients, _ in sending.sink.received) == sorted(
        f"u{number}@them.test" for number in range(200)
    )
