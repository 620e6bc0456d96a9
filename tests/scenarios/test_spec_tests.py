"""What `mailstack test` says of a mail is what a server does with it: the same mails over sockets, to a sandbox."""

import asyncio
import imaplib
import re
import smtplib
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from mailstack.app.spec_tests.bed import make_bed
from mailstack.app.spec_tests.letter import message_of
from mailstack.app.spec_tests.mail import Happened, hand_over, sender_of
from mailstack.spec.load import load_spec
from mailstack.spec.sections.tests import Send
from tests.support.sandbox import PATIENCE_S, Sandbox, running_sandbox
from tests.support.spec_tests import DELIVERY

pytestmark = pytest.mark.slow

_TRACE = re.compile(r" \(trace [0-9a-f]{16}\)$")
_NEXT_LINE = re.compile(r"\n[45]\.[0-9]+\.[0-9]+ ")
COMPARED = ("alias_leads_outside", "catch_all_order", "domain_alias", "scripts")


@pytest.mark.parametrize("path", [path for path in DELIVERY if path.stem in COMPARED], ids=lambda path: path.stem)
def test_a_server_does_what_the_tests_say(path: Path, tmp_path: Path) -> None:
    spec = load_spec(path)
    sends = [test.send for test in spec.spec.tests if test.send is not None]
    told = asyncio.run(_told(path, sends))
    with running_sandbox(path, tmp_path / "sandbox", "--passwords", "pw") as sandbox:
        for send, happened in zip(sends, told, strict=True):
            expected = {address: _without_trace(str(reply)) for address, reply in happened.refusals.items()}
            whole = "" if happened.refused is None else _without_trace(str(happened.refused))
            assert (expected, whole) == _refused(sandbox, send), send
        copies: Counter[str] = Counter()
        for happened in told:
            copies.update({login: len(boxes) for login, boxes in happened.copies.items()})
        wanted = {login: copies[login] for login in spec.spec.accounts}
        # What scripts send on within the server goes by the queue.
        deadline = time.monotonic() + PATIENCE_S
        while (found := {login: _count(sandbox, login) for login in wanted}) != wanted:
            assert time.monotonic() < deadline, (found, wanted)


async def _told(path: Path, sends: Sequence[Send]) -> list[Happened]:
    bed = await make_bed(load_spec(path))
    return [await hand_over(bed, send, message_of(send, title="t", sender=sender_of(send))) for send in sends]


def _refused(sandbox: Sandbox, send: Send) -> tuple[dict[str, str], str]:
    """The replies to recipients that were refused, as smtplib saw them, and to the whole mail; "" for none."""
    port = sandbox.port("smtp" if send.as_ is None else "submission")
    content = message_of(send, title="t", sender=sender_of(send))
    with smtplib.SMTP("127.0.0.1", port, local_hostname=send.helo) as client:
        if send.as_ is not None:
            client.login(send.as_, "pw")
        try:
            refused = client.sendmail(sender_of(send), list(send.to), content)
        except smtplib.SMTPRecipientsRefused as fault:
            refused = fault.recipients
        except smtplib.SMTPDataError as fault:
            text = fault.smtp_error if isinstance(fault.smtp_error, bytes) else fault.smtp_error.encode()
            # smtplib parts the lines of a reply, each of which has the status (RFC 2034 §4).
            return {}, _without_trace(f"{fault.smtp_code} {_NEXT_LINE.sub(' ', text.decode())}")
    return {address: _without_trace(f"{code} {text.decode()}") for address, (code, text) in refused.items()}, ""


def _without_trace(reply: str) -> str:
    """Each mail has an id of its own."""
    assert _TRACE.search(reply), reply
    return _TRACE.sub("", reply)


def _count(sandbox: Sandbox, login: str) -> int:
    """In all of its mailboxes: in tests, those that scripts name are there."""
    with imaplib.IMAP4("127.0.0.1", sandbox.port("imap")) as client:
        client.login(login, "pw")
        names = [line.rpartition(b" ")[2].decode() for line in client.list()[1] if isinstance(line, bytes)]
        return sum(int(client.select(name, readonly=True)[1][0] or 0) for name in names)
