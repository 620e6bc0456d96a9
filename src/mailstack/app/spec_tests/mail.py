"""One mail of a test, handed to the server: what was said, who was refused, and where copies lie in the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailstack.app.mail_work import MailWork, smtp_service
from mailstack.app.silence import Silence
from mailstack.app.spec_tests.bed import STAND_IN, Bed, clock
from mailstack.app.spec_tests.client import Client, Hungup, connected
from mailstack.app.spec_tests.directory import NotedAccounts
from mailstack.app.spec_tests.result import Step
from mailstack.formats.headers import header_end
from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import Invalid
from mailstack.model.principal import Account
from mailstack.servers.smtp.service import SmtpRole
from mailstack.services.conduct import Conduct
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.mailbox.tree import MailboxTree
from mailstack.services.outbound.complete import is_8bit
from mailstack.services.outbound.destination import Local, ToRelay, destination
from mailstack.services.outbound.sender import forward_address
from mailstack.spec.sections.outbound import DIRECT
from mailstack.spec.sections.tests import Send
from mailstack.store.memory.store import MemoryStore
from mailstack.wire.sasl.encoding import encode_challenge
from mailstack.wire.smtp.reply import Reply

LATER = "later"
"""The way of a copy that waits for a mailbox of this server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """refused: the reply to the whole mail, None where it was taken or every recipient was refused for itself.
    refusals: by recipient as written. copies: by login, a mailbox path for each. leaving: by address key, the way."""

    refused: SmtpReply | None
    refusals: Mapping[str, SmtpReply]
    copies: Mapping[str, Sequence[str]]
    leaving: Mapping[str, str]
    story: Sequence[Step]


class _Refused(Exception):
    """The mail as a whole."""

    def __init__(self, reply: SmtpReply) -> None:
        super().__init__(str(reply))
        self.reply = reply


@dataclass(slots=True)
class _Dialogue:
    """Says line after line, and writes down what was said."""

    client: Client
    accounts: NotedAccounts
    story: list[Step] = field(default_factory=list)

    async def say(self, line: str, *, shown: str = "") -> Reply:
        return self._heard(shown or line, await self.client.say(line))

    async def require(self, line: str, *, shown: str = "", wanted: int = 2) -> Reply:
        """Raises _Refused for a reply of another first digit."""
        return _required(await self.say(line, shown=shown), wanted)

    async def send(self, content: bytes) -> Reply:
        reply = self._heard(f"a message of {len(content)} octets", await self.client.send(content))
        return _required(reply, 2)

    def _heard(self, said: str, reply: Reply) -> Reply:
        # Of the greeting, the first line: what is offered has no bearing.
        answer = str(reply.as_outcome()) if len(reply.lines) == 1 else f"{reply.code} {reply.lines[0]}"
        self.story.append(Step(said=said, answer=answer, notes=self.accounts.take_notes()))
        return reply


async def hand_over(bed: Bed, send: Send, content: bytes) -> Happened:
    """Into a store of its own, which nobody else sees."""
    store = MemoryStore(clock=clock, bus=Silence())
    accounts = NotedAccounts(bed.accounts)
    delivery = Delivery(mailboxes=store.mailboxes, messages=store.messages, queue=store.queue)
    service = smtp_service(
        bed.blueprint,
        MailWork(
            accounts=accounts,
            messages=store.messages,
            delivery=delivery,
            conduct=Conduct(clock=clock),
            gate=None,
            clock=clock,
            token=bytes,
        ),
        sasl=bed.sasl,
        signing_keys={},
        tls=None,
        plaintext_is_secure=lambda _peer: True,
    )
    role = SmtpRole.MX if send.as_ is None else SmtpRole.SUBMISSION
    refused: SmtpReply | None = None
    refusals: dict[str, SmtpReply] = {}
    with connected(service, role, send.client_ip) as client:
        dialogue = _Dialogue(client, accounts)
        try:
            await client.greeting()
            await _transaction(dialogue, send, content, refusals)
        except _Refused as refusal:
            refused = refusal.reply
        except Hungup:
            refused = SmtpReply(code=421, status="", text="the server hung up")
    return Happened(
        refused=refused,
        refusals=refusals,
        copies=await _copies(bed, store),
        leaving=await _leaving(bed, store),
        story=tuple(dialogue.story),
    )


async def _transaction(dialogue: _Dialogue, send: Send, content: bytes, refusals: dict[str, SmtpReply]) -> None:
    await dialogue.require(f"EHLO {send.helo}")
    if send.as_ is not None:
        owner = await dialogue.accounts.find(send.as_)
        if isinstance(owner, Account) and not owner.password_hash:
            dialogue.accounts.note(f"{owner.login} has no password, so that nobody can log in")
        # RFC 4616 §2: message = [authzid] UTF8NUL authcid UTF8NUL passwd
        response = encode_challenge(f"\0{send.as_}\0{STAND_IN}".encode()).decode("ascii")
        await dialogue.require(f"AUTH PLAIN {response}", shown=f"AUTH as {send.as_}")
    await dialogue.require(_mail_command(send, content))
    for recipient in send.to:
        reply = await dialogue.say(f"RCPT TO:<{recipient}>")
        if not reply.is_positive:
            refusals[recipient] = reply.as_outcome()
    if len(refusals) < len(set(send.to)):
        await dialogue.require("DATA", wanted=3)
        await dialogue.send(content)


def sender_of(send: Send) -> str:
    """Of the envelope; the account's own address where the test names none."""
    return send.from_ if send.from_ is not None else send.as_ or ""


def _mail_command(send: Send, content: bytes) -> str:
    sender = sender_of(send)
    words = [f"MAIL FROM:<{sender}>", f"SIZE={len(content)}"]
    if is_8bit(content):
        words.append("BODY=8BITMIME")
    # RFC 6531 §3.4: for addresses and headers beyond ASCII.
    if not ("".join((sender, *send.to)).isascii() and content[: header_end(content)].isascii()):
        words.append("SMTPUTF8")
    return " ".join(words)


def _required(reply: Reply, wanted: int) -> Reply:
    if reply.code // 100 != wanted:
        raise _Refused(reply.as_outcome())
    return reply


async def _copies(bed: Bed, store: MemoryStore) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for account_id in store.messages.holders():
        owner = await bed.accounts.account(account_id)
        login = owner.login if isinstance(owner, Account) else account_id
        for path, mailbox in MailboxTree(await store.mailboxes.list(account_id)):
            found.setdefault(login, []).extend(
                path for _ in await store.messages.placements(account_id, mailbox.mailbox_id)
            )
    return found


async def _leaving(bed: Bed, store: MemoryStore) -> dict[str, str]:
    return {_key(item.recipient): await _way(bed, item.recipient) for item in await store.queue.items()}


async def _way(bed: Bed, recipient: str) -> str:
    match await destination(bed.accounts, bed.routes, recipient):
        case ToRelay(relay):
            return relay.name
        case Local():
            return LATER
        case _:
            return DIRECT


def _key(recipient: str) -> str:
    try:
        return forward_address(recipient).key
    except Invalid:
        return recipient
