"""One mail over one connection: what a client says to the server, and who is refused. RFC 5321 §3.3."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailstack.app.spec_tests.bed import STAND_IN
from mailstack.app.spec_tests.client import Client, Hungup
from mailstack.formats.headers import header_end
from mailstack.formats.seven_bit import has_8bit
from mailstack.model.delivery import SmtpReply
from mailstack.wire.sasl.encoding import encode_challenge
from mailstack.wire.smtp.reply import Reply

Heard = Callable[[str, Reply], None]
"""Is told what was said and what the server answered; of a message, its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """reverse_path and recipients: as they stand between the brackets. login: of who submits, None for strangers."""

    ehlo_domain: str
    reverse_path: str
    recipients: Sequence[str]
    login: str | None = None


@dataclass(slots=True)
class Outcome:
    """refused: the reply to the whole mail, None where it was taken or every recipient was refused for itself.
    refusals: by recipient as written."""

    refused: SmtpReply | None = None
    refusals: dict[str, SmtpReply] = field(default_factory=dict)


class _Refused(Exception):
    """The mail as a whole."""

    def __init__(self, reply: SmtpReply) -> None:
        super().__init__(str(reply))
        self.reply = reply


async def hand_over_by(client: Client, envelope: Envelope, content: bytes, heard: Heard) -> Outcome:
    outcome = Outcome()
    try:
        greeting = await client.greeting()
        heard("connect", greeting)
        _check(greeting, 2)
        await _Conversation(client, heard).transaction(envelope, content, outcome.refusals)
    except _Refused as refusal:
        outcome.refused = refusal.reply
    except Hungup:
        outcome.refused = SmtpReply(code=421, status="", text="the server hung up")
    return outcome


class _Conversation:
    def __init__(self, client: Client, heard: Heard) -> None:
        self._client = client
        self._heard = heard

    async def transaction(self, envelope: Envelope, content: bytes, refusals: dict[str, SmtpReply]) -> None:
        await self._require(f"EHLO {envelope.ehlo_domain}")
        if envelope.login is not None:
            # RFC 4616 §2: message = [authzid] UTF8NUL authcid UTF8NUL passwd
            response = encode_challenge(f"\0{envelope.login}\0{STAND_IN}".encode()).decode("ascii")
            await self._require(f"AUTH PLAIN {response}", shown=f"AUTH as {envelope.login}")
        await self._require(_mail_command(envelope, content))
        for recipient in envelope.recipients:
            reply = await self._say(f"RCPT TO:<{recipient}>")
            if not reply.is_positive:
                refusals[recipient] = reply.as_outcome()
        if len(refusals) < len(set(envelope.recipients)):
            await self._require("DATA", wanted=3)
            reply = await self._client.send(content)
            self._heard(f"a message of {len(content)} octets", reply)
            _check(reply, 2)

    async def _say(self, line: str, *, shown: str = "") -> Reply:
        reply = await self._client.say(line)
        self._heard(shown or line, reply)
        return reply

    async def _require(self, line: str, *, shown: str = "", wanted: int = 2) -> None:
        """Raises _Refused for a reply of another first digit."""
        _check(await self._say(line, shown=shown), wanted)


def _check(reply: Reply, wanted: int) -> None:
    if reply.code // 100 != wanted:
        raise _Refused(reply.as_outcome())


def _mail_command(envelope: Envelope, content: bytes) -> str:
    words = [f"MAIL FROM:<{envelope.reverse_path}>", f"SIZE={len(content)}"]
    if has_8bit(content):
        words.append("BODY=8BITMIME")
    # RFC 6531 §3.4: for addresses and headers beyond ASCII.
    addresses = "".join((envelope.reverse_path, *envelope.recipients))
    if not (addresses.isascii() and content[: header_end(content)].isascii()):
        words.append("SMTPUTF8")
    return " ".join(words)
