"""What we send, as Debian's Postfix and Exim receive it: every octet of it, and never as two mails.

Both by BDAT, which they offer, and by DATA. RFC 5321 §4.5.2, RFC 2920, RFC 3030, RFC 3461, RFC 6152, RFC 6531.
"""

import random
import re
from collections.abc import AsyncIterator, Iterator

import pytest

from mailstack.clients.smtp.tls import client_contexts
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.model.delivery import Delivered, Failed, TlsMode
from mailstack.model.handling import Handling, Notification, NotifyOn, Returned
from tests.support.certificates import NOW
from tests.support.mail_peers import PEERS, MailPeer
from tests.support.memory_resolver import MemoryResolver
from tests.support.smtp_sender import PATIENT, Sender

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mail_peers")]

HEADER = (
    b"From: Alice <a@us.test>\r\nTo: b@them.test\r\nDate: Sun, 29 Nov 2026 07:00:00 +0000\r\n"
    b"Message-ID: <1@us.test>\r\nSubject: here it begins\r\n\r\n"
)
SMUGGLED = b"MAIL FROM:<evil@evil.test>\r\nRCPT TO:<b@them.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\nQUIT\r\n"
FALSE_ENDS = (
    *(b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\r\n.\r\n"),
    *(b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\n\r.\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\n", b"\n.\r", b"\r.\n", b"\r\n..\r\n"),
)
PARTS = (b"\r", b"\n", b"\r\n", b".", b"..", b"\0", b"a", b"\r\n.\r\n", b"\n.\n", SMUGGLED)


@pytest.fixture(scope="module", params=[(name, by) for name in PEERS for by in ("BDAT", "DATA")], ids="-".join)
def peer(request: pytest.FixtureRequest) -> Iterator[MailPeer]:
    name, by = request.param
    with PEERS[name](chunking=by == "BDAT") as running:
        yield running


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    transport = SmtpTransport(
        MemoryResolver(),
        ehlo_domain="us.test",
        tls=client_contexts(),
        token=random.Random(7).randbytes,
        clock=lambda: NOW,
        timeouts=PATIENT,
    )
    yield Sender(transport)
    await transport.close()


async def delivered(sender: Sender, peer: MailPeer, content: bytes, *, is_8bit: bool = True) -> None:
    (outcome,) = await sender.send(
        peer.port, host="127.0.0.1", tls=TlsMode.OPPORTUNISTIC, content=content, is_8bit=is_8bit
    )
    assert isinstance(outcome, Delivered), outcome
    assert outcome.tls is not None
    assert outcome.tls.version == "TLSv1.3"


def as_stored(content: bytes) -> bytes:
    """Every line end a line end, the last line too."""
    lines = re.sub(rb"\r\n|\r|\n", b"\n", content)
    return lines if lines.endswith(b"\n") else lines + b"\n"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"x", id="1 octet"),
        pytest.param(b"", id="none"),
        pytest.param(b".\r\n..\r\n.x\r\n\r\n.", id="dots"),
        pytest.param(b"y" * 998 + b"\r\n." + b"z" * 997 + b"\r\n", id="long"),
        pytest.param(b"." * 20_000 + b"\r\n" + b"w" * 5_000, id="too long"),
        pytest.param(bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b""), id="8-bit"),
        pytest.param(b"From the first\r\n>From\r\n", id="From"),
        pytest.param(b"\r\n" * 70_000, id="empty lines"),
        pytest.param(b"".join(b".%070d\r\n" % line for line in range(140_000)), id="10 MB"),
    ],
)
async def test_what_arrives_is_what_was_sent(sender: Sender, peer: MailPeer, body: bytes) -> None:
    await delivered(sender, peer, HEADER + body)
    (found,) = peer.take(1)
    assert found[found.index(b"From: Alice") :] == as_stored(HEADER + body)


async def test_every_extension_at_once(sender: Sender, peer: MailPeer) -> None:
    """SMTPUTF8, 8BITMIME, SIZE, DSN, STARTTLS, PIPELINING, and CHUNKING where it is offered."""
    content = HEADER.replace(b"Alice", "Älice".encode()) + "grüße\r\n".encode()
    (outcome,) = await sender.send(
        peer.port,
        "bär@them.test",
        host="127.0.0.1",
        tls=TlsMode.OPPORTUNISTIC,
        content=content,
        reverse_path="ä@us.test",
        is_8bit=True,
        smtp_utf8=True,
        handling=Handling(returned=Returned.HEADERS, envelope_id="QQ314159"),
        notification=Notification(
            notify_on=frozenset({NotifyOn.FAILURE, NotifyOn.DELAY}), original_recipient="rfc822;b+2Bx@them.test"
        ),
    )
    assert isinstance(outcome, Delivered), outcome
    assert outcome.will_notify
    (found,) = peer.take(1)
    assert found.endswith(as_stored(content)[as_stored(content).index(b"To: ") :])
    assert "bär@them.test".encode() in found


async def test_of_a_hundred_recipients_those_are_refused_whom_the_peer_refuses(sender: Sender, peer: MailPeer) -> None:
    recipients = [f"{'refused' if number % 10 == 3 else 'u'}{number}@them.test" for number in range(100)]
    outcomes = await sender.send(
        peer.port, *recipients, host="127.0.0.1", tls=TlsMode.OPPORTUNISTIC, content=HEADER + b"to many\r\n"
    )
    refused = {name for name, outcome in zip(recipients, outcomes, strict=True) if isinstance(outcome, Failed)}
    assert refused == {name for name in recipients if name.startswith("refused")}
    assert all(isinstance(outcome, Delivered | Failed) for outcome in outcomes)
    assert all(found.endswith(as_stored(HEADER + b"to many\r\n")) for found in peer.take(90))


async def test_smtp_smuggling_no_peer_sees_two_mails(sender: Sender, peer: MailPeer) -> None:
    bodies = [b"body" + end + SMUGGLED for end in FALSE_ENDS]
    chance = random.Random(5)
    bodies += [b"body" + b"".join(chance.choices(PARTS, k=30)) + SMUGGLED for _ in range(25)]
    for body in bodies:
        await delivered(sender, peer, HEADER + body)
    # What was smuggled before it would be there before it, or at least be counted with it.
    await delivered(sender, peer, HEADER + b"the last\r\n")
    found = peer.take(len(bodies) + 1)
    assert sorted(one[one.index(b"From: Alice") :] for one in found) == sorted(
        as_stored(HEADER + body) for body in (*bodies, b"the last\r\n")
    )
