"""One mail into the mailboxes of every local account that receives it, durable before this returns.

What fails for the moment goes to the queue, which tries again; what can go to neither raises TryAgainLater, and the
sender keeps it. What goes on elsewhere is queued as well. Into which mailboxes, and what else is done with the mail, is
the scripts' word, where an account has any.

Mailboxes and queue share no transaction, so a mail to several may be in one mailbox already when another and the queue
fail, and comes there again with the sender. That can happen to what is under way when a fault begins: after it, a mail
to several goes into the queue for all of them, in one transaction, until that has worked.
RFC 5321 §4.2.5, §4.4, §6.1.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from mmap import mmap
from typing import Protocol

import structlog

from mailstack.formats.digest import digest_message
from mailstack.model.delivery import OutgoingMail, Priority
from mailstack.model.errors import DomainError, NotFound, QuotaExceeded, TooLarge, TryAgainLater
from mailstack.model.handling import PLAIN, Handling, Notification
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import MINUTE_MS, SECOND_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import MessageDigest, NewMessage, RawMessage
from mailstack.model.principal import Account
from mailstack.model.spam import Judged
from mailstack.model.verdict import Authentication
from mailstack.ports.mailboxes import DeliveryMailboxes
from mailstack.ports.messages import Intake
from mailstack.ports.queue import Queue
from mailstack.services.inbound.filter.verdict import Verdict
from mailstack.services.inbound.trace import delivered_to_field, prepend, return_path_field
from mailstack.services.outbound.priority import of_envelope

RETRY_MS = 2 * SECOND_MS
"""Until the queue tries for the first time what could not be written here; from then on by its own schedule."""
FULL_RETRY_MS = 5 * MINUTE_MS
"""Likewise, where a person has to make room."""
INBOXES_REMEMBERED = 20_000
LOGGED_RECIPIENTS = 5
AT_ONCE = 20
"""Forms of one mail that are stored at a time: each may be a copy of a large message."""
LARGE_AT_ONCE = 4
"""Large mails that scripts work on at a time: each may be a copy of its own in memory."""
LARGE_BYTES = 256 * 1024
"""From here on, reading and copying a message takes long enough to be done in a thread."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that was accepted, as far as delivery is concerned. received: the trace fields to put on top, b"" when
    raw has them already. left_out: ranges of raw that are not passed on. is_suspicious: for junk, where there is one.
    peer_host: who brought it, "" where it comes out of the queue.
    notifications: by the login or outside address that the mail goes to, of those for whom any were asked.
    authentication: None where nobody looked. judged: what it scores for whom, where that was found just now. paths: as
    RCPT had them, of the accounts that one of them means and nobody else. verdicts: of the scripts of accounts, as far
    as they have run; None for an account that has none."""

    reverse_path: str
    peer_host: str
    raw: RawMessage
    received: bytes
    received_at: Instant
    is_8bit: bool
    smtp_utf8: bool
    trace_id: str
    left_out: Sequence[tuple[int, int]] = ()
    is_suspicious: bool = False
    handling: Handling = PLAIN
    notifications: Mapping[str, Notification] = field(default_factory=dict)
    priority: Priority = Priority.BULK
    authentication: Authentication | None = None
    judged: Mapping[AccountId | None, Judged] = field(default_factory=dict)
    paths: Mapping[AccountId, str] = field(default_factory=dict)
    verdicts: Mapping[AccountId, Verdict | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """One form of a mail, and whom it goes to. external: paths outside. queued_as: what the queue is given instead,
    once for all shipments that name the same: it makes their letters of it when it sends or stores them."""

    letter: Letter
    accounts: Sequence[Account] = ()
    external: Sequence[str] = ()
    queued_as: Letter | None = None


Stored = DomainError | Verdict | None
"""What became of one copy: it could not be taken, or its account's scripts said what to do, or there are none."""


Put = Callable[[Sequence[OutgoingMail]], Awaitable[object]]
"""Into the queue, all or none."""


def is_taken(stored: Stored) -> bool:
    """RFC 5429 §2.4: what a script refuses was not delivered."""
    return stored is None or (isinstance(stored, Verdict) and stored.refusal is None)


class MailFilter(Protocol):
    """What scripts make of mail: services.inbound.filter.carry_out.Filter."""

    async def verdict(self, letter: Letter, account: Account, raw: RawMessage | None = None) -> Verdict | None:
        """None: no script runs. raw: as `complete` has it, where somebody has that already."""
        ...

    async def carry_out(
        self, delivery: "Delivery", verdict: Verdict, letter: Letter, message: NewMessage, account: Account
    ) -> None:
        """Raises as Delivery.append does, and TryAgainLater."""
        ...


class Delivery:
    """One for each generation. Its memory of where inboxes are spares a query for each mail: they never move.

    filter: None where all mail goes into the inbox."""

    def __init__(
        self, *, mailboxes: DeliveryMailboxes, messages: Intake, queue: Queue, filter_: MailFilter | None = None
    ) -> None:
        self._mailboxes = mailboxes
        self._messages = messages
        self._queue = queue
        self._filter = filter_
        self._inboxes: OrderedDict[AccountId, MailboxId] = OrderedDict()
        self._is_wary = False
        self._room = asyncio.Semaphore(LARGE_AT_ONCE)
        # Bound once: the module's would be bound anew for each line.
        self._log: structlog.typing.FilteringBoundLogger = log.bind()

    async def deliver(self, shipments: Sequence[Shipment]) -> Sequence[Account]:
        """Whose mailboxes have it now; for the others it is queued, or their scripts have refused it. Several shipments
        are queued in one transaction.

        Raises DomainError when that kept everybody from taking it; TryAgainLater."""
        if self._is_wary and sum(len(each.accounts) + len(each.external) for each in shipments) > 1:
            await self._enqueue(shipments, next_at=shipments[0].letter.received_at)
            self._is_wary = False
            return ()
        # Outside copies first: when the queue cannot write, nothing has been stored yet that the sender would repeat.
        outside = [replace(each, accounts=()) for each in shipments if each.external]
        if outside:
            await self._enqueue(outside, next_at=outside[0].letter.received_at)
        inside = [each for each in shipments if each.accounts]
        return await self._store_or_enqueue(inside, is_queued=bool(outside)) if inside else ()

    async def hold(self, shipments: Sequence[Shipment], *, until: Instant, put: Put | None = None) -> None:
        """Into the queue for everybody, as if it came then. put: how. Raises TryAgainLater, and as put does."""
        await self._enqueue(_coming(shipments, until), next_at=until, put=put)

    async def store(self, letter: Letter, accounts: Sequence[Account]) -> list[Stored]:
        """Into these accounts and nowhere else; what kept each from taking it, else what its scripts made of it."""
        message = await _new_message(letter)
        try:
            if len(accounts) == 1:  # nearly every mail, and a TaskGroup costs as much as a lookup
                return [await self._store(message, accounts[0], letter)]
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._store(message, account, letter)) for account in accounts]
            return [task.result() for task in tasks]
        finally:
            release(message.raw)

    async def _store_or_enqueue(self, shipments: Sequence[Shipment], *, is_queued: bool) -> Sequence[Account]:
        """is_queued: somebody has it already."""
        found = await self._store_each(shipments)
        every = [fault if isinstance(fault, DomainError) else None for of_one in found for fault in of_one]
        if all(every) and not is_queued:
            _refuse_for_good(every)
        stored: list[Account] = []
        later: list[Shipment] = []
        for each, of_each in zip(shipments, found, strict=True):
            copies = list(zip(each.accounts, of_each, strict=True))
            left = [account for account, one in copies if isinstance(one, DomainError)]
            stored += [account for account, one in copies if is_taken(one)]
            if left:
                later.append(replace(each, accounts=left, external=()))
        if later:
            is_passing = any(isinstance(fault, TryAgainLater) for fault in every)
            next_at = Instant(later[0].letter.received_at + (RETRY_MS if is_passing else FULL_RETRY_MS))
            await self._enqueue(later, next_at=next_at)
        return stored

    async def _store_each(self, shipments: Sequence[Shipment]) -> list[list[Stored]]:
        if len(shipments) == 1:  # as store has it
            return [await self.store(shipments[0].letter, shipments[0].accounts)]
        found: list[list[Stored]] = []
        for at in range(0, len(shipments), AT_ONCE):
            async with asyncio.TaskGroup() as group:
                part = shipments[at : at + AT_ONCE]
                tasks = [group.create_task(self.store(each.letter, each.accounts)) for each in part]
            found += [task.result() for task in tasks]
        return found

    async def _store(self, message: NewMessage, account: Account, letter: Letter) -> Stored:
        size = len(message.raw)
        try:
            if size > LARGE_BYTES and self._filter is not None:
                async with self._room:
                    filed = await self._file(message, account, letter)
            else:
                filed = await self._file(message, account, letter)
        except DomainError as fault:  # whichever: raised here it would have the others' copies sent again
            log.warning("not stored", trace=letter.trace_id, account=account.login, fault=repr(fault))
            self._is_wary |= isinstance(fault, TryAgainLater)
            too_large = isinstance(fault, QuotaExceeded) and size > (account.quota_bytes or size)
            return TooLarge(f"larger than the whole quota of {account.login}") if too_large else fault
        if isinstance(filed, MailboxRole):
            self._log.info("delivered", trace=letter.trace_id, account=account.login, mailbox=filed.value)
            return None
        self._log.info(
            "filtered",
            trace=letter.trace_id,
            account=account.login,
            actions=filed.words,
            scripts=filed.scripts,
        )
        return filed

    async def _file(self, message: NewMessage, account: Account, letter: Letter) -> Verdict | MailboxRole:
        """What scripts made of it, or where it lies without any."""
        verdict = await self.verdict(letter, account, message.raw)
        if verdict is None or self._filter is None:
            return await self.append(message, account, is_suspicious=letter.is_suspicious)
        await self._filter.carry_out(self, verdict, letter, message, account)
        return verdict

    async def verdict(self, letter: Letter, account: Account, raw: RawMessage | None = None) -> Verdict | None:
        """Of the account's scripts, as found before or now; None where there are none. raw: as of MailFilter."""
        if account.account_id in letter.verdicts:
            return letter.verdicts[account.account_id]
        return None if self._filter is None else await self._filter.verdict(letter, account, raw)

    async def append_to(self, message: NewMessage, account: Account, mailbox_id: MailboxId) -> None:
        """Raises NotFound, QuotaExceeded, TryAgainLater."""
        await self._messages.append(account.account_id, mailbox_id, (message,), quota_bytes=account.quota_bytes)

    async def append(self, message: NewMessage, account: Account, *, is_suspicious: bool) -> MailboxRole:
        """Where mail goes that no script files. Raises as append_to does."""
        if is_suspicious and (junk := await self._mailbox(account.account_id, MailboxRole.JUNK)) is not None:
            await self.append_to(message, account, junk)
            return MailboxRole.JUNK
        inbox = self._inboxes.get(account.account_id)
        if inbox is not None:
            try:
                await self.append_to(message, account, inbox)
            except NotFound:
                del self._inboxes[account.account_id]  # the account was restored or made anew: look again, once
            else:
                return MailboxRole.INBOX
        await self.append_to(message, account, await self._inbox(account.account_id))
        return MailboxRole.INBOX

    async def _inbox(self, account_id: AccountId) -> MailboxId:
        inbox = await self._mailbox(account_id, MailboxRole.INBOX)
        if inbox is None:
            raise NotFound(f"account {account_id} has no inbox")
        self._inboxes[account_id] = inbox
        if len(self._inboxes) > INBOXES_REMEMBERED:
            self._inboxes.popitem(last=False)
        return inbox

    async def _mailbox(self, account_id: AccountId, role: MailboxRole) -> MailboxId | None:
        for mailbox in await self._mailboxes.list(account_id):
            if mailbox.role is role:
                return mailbox.mailbox_id
        return None

    async def _enqueue(self, shipments: Sequence[Shipment], *, next_at: Instant, put: Put | None = None) -> None:
        parts = [part for each in _together(shipments) for part in apart(each)]
        mails: list[OutgoingMail] = []
        try:
            for each in parts:
                mails.append(await outgoing(each))
            await (self._queue.enqueue(mails, next_at=next_at) if put is None else put(mails))
        except TryAgainLater:
            self._is_wary = True
            raise
        finally:
            for each, mail in zip(parts, mails, strict=False):  # fewer when the disk was full
                if mail.raw is not each.letter.raw:
                    release(mail.raw)
        for mail in mails:
            sender, recipients = mail.reverse_path, _first_few(mail.recipients)
            log.info("queued", trace=mail.trace_id, sender=sender, recipients=recipients)


def _coming(shipments: Sequence[Shipment], at: Instant) -> list[Shipment]:
    """Those that are queued as the same letter still are."""
    every = (letter for each in shipments for letter in (each.letter, each.queued_as) if letter is not None)
    coming = {id(letter): replace(letter, received_at=at) for letter in every}
    return [
        replace(
            each,
            letter=coming[id(each.letter)],
            queued_as=None if each.queued_as is None else coming[id(each.queued_as)],
        )
        for each in shipments
    ]


def _together(shipments: Sequence[Shipment]) -> list[Shipment]:
    found = [each for each in shipments if each.queued_as is None]
    letters = {id(each.queued_as): each.queued_as for each in shipments if each.queued_as is not None}
    for letter in letters.values():
        accounts = [account for each in shipments if each.queued_as is letter for account in each.accounts]
        found.append(Shipment(letter=letter, accounts=accounts))
    return found


def apart(shipment: Shipment) -> Iterator[Shipment]:
    """As the queue is given it: an account that sends on is told that this copy has been, for itself alone."""
    if not any(account.forward for account in shipment.accounts):
        yield shipment
        return
    plain = [account for account in shipment.accounts if account.forward is None]
    if plain or shipment.external:
        yield replace(shipment, accounts=plain)
    for account in shipment.accounts:
        if account.forward is not None:
            fields = delivered_to_field(account.login) + shipment.letter.received
            yield Shipment(letter=replace(shipment.letter, received=fields), accounts=(account,))


async def outgoing(shipment: Shipment) -> OutgoingMail:
    """For the queue, whoever it is for."""
    letter = shipment.letter
    names = {account.login: queued_name(account, letter.paths) for account in shipment.accounts}
    recipients = (*names.values(), *shipment.external)
    return OutgoingMail(
        reverse_path=letter.reverse_path,
        recipients=recipients,
        raw=await _with_fields(letter.received, letter) if letter.received else letter.raw,
        queued_at=letter.received_at,
        is_8bit=letter.is_8bit,
        smtp_utf8=letter.smtp_utf8,
        trace_id=letter.trace_id,
        handling=letter.handling,
        notifications={names.get(target, target): wished for target, wished in letter.notifications.items()},
        is_suspicious=letter.is_suspicious,
        priority=of_envelope(letter.priority, reverse_path=letter.reverse_path, recipients=len(recipients)),
    )


def queued_name(account: Account, paths: Mapping[AccountId, str]) -> str:
    """What the queue calls it, and scripts see later: its path, where that has a domain to go by. paths: as of
    Letter."""
    path = paths.get(account.account_id, "")
    return path if "@" in path else account.login


async def _new_message(letter: Letter) -> NewMessage:
    raw = await complete(letter)
    return NewMessage(raw=raw, received_at=letter.received_at, digest=await digest_of(raw))


async def digest_of(raw: RawMessage) -> MessageDigest:
    return await asyncio.to_thread(digest_message, raw) if len(raw) > LARGE_BYTES else digest_message(raw)


async def complete(letter: Letter) -> RawMessage:
    """As it lies in mailboxes."""
    return await _with_fields(return_path_field(letter.reverse_path) + letter.received, letter)


async def _with_fields(fields: bytes, letter: Letter) -> RawMessage:
    if len(letter.raw) > LARGE_BYTES:
        return await asyncio.to_thread(prepend, fields, letter.raw, letter.left_out)
    return prepend(fields, letter.raw, letter.left_out)


def _first_few(recipients: Sequence[str]) -> Sequence[str]:
    """For the log: a line must not grow with the number of recipients."""
    surplus = len(recipients) - LOGGED_RECIPIENTS
    return [*recipients[:LOGGED_RECIPIENTS], f"and {surplus} more"] if surplus > 0 else recipients


def release(copy: RawMessage) -> None:
    """A large copy takes disk and address space until it is closed, and others may go on naming it for a while."""
    if isinstance(copy, mmap):
        with suppress(BufferError):  # somebody still reads: then it goes with them
            copy.close()


def _refuse_for_good(failures: Sequence[DomainError | None]) -> None:
    """Nothing was stored: what the sender can be told at once is not left to a bounce."""
    if not any(isinstance(failure, TryAgainLater) for failure in failures):
        for failure in failures:
            if failure is not None:
                raise failure
