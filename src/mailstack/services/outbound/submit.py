"""Mail from our own account holders: may they, is it whole, sign it, deliver or queue it. RFC 6409.

Who is logged in, sizes and counts are the server's business; unknown local recipients were refused at RCPT already.
Outside copies are queued before local ones are stored (services.inbound.deliver): when the queue cannot write, nothing
has happened that the client's second try would double, and once it could, what cannot be stored is queued as well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from mailstack.formats.headers import Field, every, header_end, scan_fields
from mailstack.formats.seven_bit import has_8bit
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.mailauth.dkim.sign import sign
from mailstack.model.address import Address
from mailstack.model.delivery import NULL_PATH, Priority
from mailstack.model.errors import Forbidden, Invalid, NotFound
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification
from mailstack.model.instant import Clock, Instant
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.services.inbound.deliver import LARGE_BYTES, Delivery, Letter, Shipment
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.inbound.mail import Defer, Reason, Reject
from mailstack.services.inbound.recipients import Resolution, by_target, merge, own_paths
from mailstack.services.inbound.success import Addressed, tell_of_success
from mailstack.services.inbound.trace import Hop, prepend, received_field
from mailstack.services.lists.lists import Lists
from mailstack.services.lists.posting import Posted
from mailstack.services.outbound.allowance import Allowance
from mailstack.services.outbound.complete import (
    complete,
    encode_binary,
    normalize,
    require_sound_header,
    shorten_lines,
)
from mailstack.services.outbound.priority import of_submission
from mailstack.services.outbound.sender import forward_address, require_own, written_addresses
from mailstack.services.spam.acquaintances import Acquainted

Changed = TypeVar("Changed")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How the mail came in, for its Received field.

    ehlo_domain, peer_host: "" where it came by another protocol than SMTP. protocol: RFC 3848's word (ESMTPSA …).
    smtp_utf8: the client asked for RFC 6531. handling, notifications: what else it asked for, the latter by recipient.
    release_at: it waits until then, and is in nobody's mailbox before; None for what goes at once (RFC 4865).
    """

    ehlo_domain: str
    peer_host: str
    protocol: str
    trace_id: str
    smtp_utf8: bool
    handling: Handling = PLAIN
    notifications: Mapping[str, Notification] = field(default_factory=dict)
    release_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Mail that may go, signed, and whom it goes to. fields: of its header."""

    author: Address
    fields: Sequence[Field]
    letter: Letter
    addressed: Sequence[Addressed]
    shipments: Sequence[Shipment]

    @property
    def recipients(self) -> list[str]:
        return [each.path for each in self.addressed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """signing_keys: by domain (A-labels), all active ones. token: random bytes, for message ids. acquainted:
    None where nobody remembers whom accounts write to."""

    hostname: str
    accounts: Accounts
    delivery: Delivery
    forwarding: Forwarding
    lists: Lists
    signing_keys: Mapping[str, Sequence[SigningKey]]
    allowance: Allowance
    clock: Clock
    token: Callable[[int], bytes]
    acquainted: Acquainted | None = None

    async def check_sender(self, account: Account, reverse_path: str) -> None:
        """Raises Forbidden unless the path is null or one of the account's own addresses."""
        # RFC 8098 §3: a reader's receipt must be sent with the null path; its From field is checked all the same.
        if reverse_path != NULL_PATH:
            await require_own(self.accounts, account, reverse_path)

    async def unreachable(self, recipients: Sequence[str], reverse_path: str) -> list[str]:
        """Those that are ours and that nobody has, or that are no address. recipients: paths as written."""
        now, found = self.clock(), []
        for recipient in recipients:
            try:
                await self._resolve(recipient, reverse_path, now=now)
            except (NotFound, Forbidden, Invalid):
                found.append(recipient)
        return found

    async def submit(
        self, account: Account, reverse_path: str, recipients: Sequence[str], raw: RawMessage, origin: Origin
    ) -> Address | Reject | Defer:
        """The author, where it is taken: then it is durable for every recipient. recipients: paths as written.

        Raises Forbidden or Invalid for what the author must mend, and what Delivery raises.
        """
        found = await self.prepare(account, reverse_path, recipients, raw, origin)
        if not isinstance(found, Prepared):
            return found
        if origin.release_at is not None:
            await self.taken(account, found, self.delivery.hold(found.shipments, until=origin.release_at))
            return found.author
        stored = await self.taken(account, found, self.delivery.deliver(found.shipments))
        await tell_of_success(self.delivery, found.letter, found.addressed, stored, hostname=self.hostname)
        return found.author

    async def taken(self, account: Account, mail: Prepared, work: Awaitable[Done]) -> Done:
        """work: what makes it durable. Raises what work does."""
        done = await self.allowance.counted(account, len(mail.addressed), work)
        # RFC 8098 §3: a receipt, which has the null path, is often nothing that a person decided to write.
        if self.acquainted is not None and mail.letter.reverse_path != NULL_PATH:
            self.acquainted.wrote(account.account_id, mail.recipients, mail.fields)
        return done

    async def prepare(
        self, account: Account, reverse_path: str, recipients: Sequence[str], raw: RawMessage, origin: Origin
    ) -> Prepared | Reject | Defer:
        """As submit has it, and nothing is written yet."""
        if origin.handling.is_binary:
            # Before it is signed: few servers take binary mail, and encoding it later would break our signatures.
            lines = await _in_thread_if_large(encode_binary, raw)
            if lines is None:
                return Reject(reason=Reason.BINARY)
            raw, origin = lines, replace(origin, handling=replace(origin.handling, is_binary=False))
        raw = await _in_thread_if_large(normalize, raw)
        author = await self._author(account, require_sound_header(raw))
        raw = await _in_thread_if_large(shorten_lines, raw)
        now = self.clock()
        addressed = [await self._addressed(recipient, reverse_path, origin, now=now) for recipient in recipients]
        to = merge(each.resolution for each in addressed)
        # Where a key's signatures last for a time, it is one that begins when the mail goes.
        signed_at = origin.release_at or now
        finish = partial(self._finish, author=author, now=now, signed_at=signed_at)
        signed = await _in_thread_if_large(finish, raw)
        fields = scan_fields(signed)
        letter = self._letter(reverse_path, addressed, signed, origin, now=now, priority=of_submission(fields))
        posted = Posted(fields=fields, reverse_path=reverse_path, account=account)
        refusal = await self.lists.why_refused(to.lists, posted)
        if refusal is not None:
            return refusal
        shipments = await self.forwarding.shipments(letter, to)
        shipments += await self.lists.shipments(letter, to, posted)
        over = self.allowance.why_not(account, await self.allowance.room(account), len(recipients))
        if over is not None:
            return over
        return Prepared(author=author, fields=fields, letter=letter, addressed=addressed, shipments=shipments)

    async def _author(self, account: Account, fields: Sequence[Field]) -> Address:
        """The first address of From. RFC 6409 §6.1: nobody writes in another's name."""
        values = every(fields, b"from")
        if len(values) != 1:
            raise Invalid("a message has exactly one From field")  # RFC 5322 §3.6
        authors = await self._own(account, values[0])
        # RFC 6409 §8.1: where From and Sender differ, mail programs show both; RFC 5322 §3.6.2.
        for value in every(fields, b"sender"):
            await self._own(account, value)
        # RFC 7489 §6.6.1: a From of several domains passes no policy, and one signature cannot stand for all.
        if len({author.domain for author in authors}) != 1:
            raise Invalid("the From field needs addresses, and all of one domain")
        return authors[0]

    async def _own(self, account: Account, value: bytes) -> list[Address]:
        return [await require_own(self.accounts, account, text) for text in written_addresses(value)]

    async def _addressed(self, recipient: str, reverse_path: str, origin: Origin, *, now: Instant) -> Addressed:
        return Addressed(
            path=recipient,
            notification=origin.notifications.get(recipient, UNASKED),
            resolution=await self._resolve(recipient, reverse_path, now=now),
        )

    async def _resolve(self, recipient: str, reverse_path: str, *, now: Instant) -> Resolution:
        address = forward_address(recipient)
        is_ours = not address.domain or await self.accounts.domain(address.domain) is not None
        if is_ours:
            return await self.forwarding.resolve(address, reverse_path=reverse_path, now=now)
        # RFC 5321 §2.4: the case of a local part is the next server's affair, so the path goes out as it was written.
        return Resolution(external=(recipient,))

    def _finish(self, raw: RawMessage, *, author: Address, now: Instant, signed_at: Instant) -> RawMessage:
        whole = complete(raw, now=now, domain=author.domain, token=self.token)
        keys = self.signing_keys.get(author.domain, ())
        return prepend(sign(whole, keys, now=signed_at), whole) if keys else whole

    def _letter(
        self,
        reverse_path: str,
        addressed: Sequence[Addressed],
        signed: RawMessage,
        origin: Origin,
        *,
        now: Instant,
        priority: Priority,
    ) -> Letter:
        hop = Hop(
            hostname=self.hostname,
            ehlo_domain=origin.ehlo_domain,
            peer_host=origin.peer_host,
            protocol=origin.protocol,
            trace_id=origin.trace_id,
            received_at=now,
        )
        # RFC 6531 §3.4: asking for SMTPUTF8 is no need for it, and fewer servers take such mail.
        header = signed[: header_end(signed)]
        return Letter(
            reverse_path=reverse_path,
            peer_host=origin.peer_host,
            raw=signed,
            received=received_field(hop, recipient=None),
            received_at=now,
            is_8bit=has_8bit(signed),
            smtp_utf8=origin.smtp_utf8 and not (header.isascii() and reverse_path.isascii()),
            trace_id=origin.trace_id,
            handling=origin.handling,
            notifications=by_target((each.notification, each.resolution) for each in addressed),
            priority=priority,
            paths=own_paths((each.path, each.resolution) for each in addressed),
        )


async def _in_thread_if_large(change: Callable[[RawMessage], Changed], raw: RawMessage) -> Changed:
    return await asyncio.to_thread(change, raw) if len(raw) > LARGE_BYTES else change(raw)
