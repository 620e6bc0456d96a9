"""What one member's copy has that the others' have not: the way out of the list, and where it comes back to.

One mail lies in the queue for all members; this is put on each copy as it leaves, so that a list of ten thousand costs
one message, and still each link names whom it is for and each bounce whom it is about. Then it is signed: RFC 8058 §4
wants the link among what is signed. RFC 8058 §3.1, RFC 6377 §5.8.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from mailstack.formats.list_fields import mailto_address, unsubscribe_fields
from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.mailauth.dkim.sign import Pen
from mailstack.model.delivery import QueueItem
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage
from mailstack.model.principal import MailingList
from mailstack.ports.accounts import Accounts
from mailstack.services.inbound.deliver import LARGE_BYTES
from mailstack.services.lists.names import DIGITS, Purpose, address_for, bounce_path, purpose_of
from mailstack.services.lists.tokens import unsubscribe_token
from mailstack.services.outbound.sender import forward_address

LEAVE_PATH = "/lists/unsubscribe"
TOKEN = "token"
"""In the query: paths stand in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """secret: of tokens and of the path in the queue. site: `https://host`, "" where nothing is served there.
    signing_keys: by domain."""

    secret: bytes = field(repr=False)
    site: str
    signing_keys: Mapping[str, Sequence[SigningKey]]

    def fields(self, mailing_list: MailingList, member: str, raw: RawMessage, *, now: Instant) -> bytes:
        """To be put on top of the list's mail. member: an address key."""
        (found,) = self.fields_of_each(mailing_list, (member,), raw, now=now)
        return found

    def fields_of_each(
        self, mailing_list: MailingList, members: Sequence[str], raw: RawMessage, *, now: Instant
    ) -> list[bytes]:
        """For many at once, who share the work on the message itself."""
        leave = [self._leave(mailing_list, member) if mailing_list.has_unsubscribe else b"" for member in members]
        keys = self.signing_keys.get(mailing_list.address.rpartition("@")[2], ())
        if not keys:
            return leave
        pen = Pen(raw, keys, now=now)
        return [pen.sign(above=fields) + fields for fields in leave]

    async def of_item(
        self, accounts: Accounts, item: QueueItem, content: bytes, *, now: Instant
    ) -> tuple[QueueItem, bytes]:
        """As it leaves the queue; what is no list's stays as it is."""
        mailing_list = await self.list_of(accounts, item.reverse_path)
        if mailing_list is None:
            return item, content
        member = forward_address(item.recipient).key
        write = partial(self.copy, mailing_list, member, now=now)
        own = await asyncio.to_thread(write, content) if len(content) > LARGE_BYTES else write(content)
        return replace(item, reverse_path=bounce_path(mailing_list, member)), own

    def copy(self, mailing_list: MailingList, member: str, content: bytes, *, now: Instant) -> bytes:
        return self.fields(mailing_list, member, content, now=now) + content

    def path_in_queue(self, mailing_list: MailingList) -> str:
        """The reverse path of a list's mail until it is made a member's, which nobody else can have made up: whatever
        comes with it is signed in the list's name. Nobody is told but the owners, where a mail could not be tried."""
        name, _, domain = address_for(mailing_list, Purpose.BOUNCES).rpartition("@")
        return f"{name}+{self._mark(mailing_list)}@{domain}"

    async def list_of(self, accounts: Accounts, reverse_path: str) -> MailingList | None:
        """Whose mail it is that has such a path."""
        if "-bounces+" not in reverse_path:  # nearly all mail
            return None
        try:
            found = purpose_of(forward_address(reverse_path))
        except Invalid:
            return None
        if found is None or found[1] is not Purpose.BOUNCES:
            return None
        owner = await accounts.find(found[0])
        if not isinstance(owner, MailingList):
            return None
        return owner if hmac.compare_digest(found[2].encode(), self._mark(owner).encode()) else None

    def _mark(self, mailing_list: MailingList) -> str:
        proof = hashlib.blake2b(mailing_list.address.encode(), key=self.secret, person=b"path in queue").digest()
        return base64.b32encode(proof).decode("ascii").lower()[:DIGITS]

    def _leave(self, mailing_list: MailingList, member: str) -> bytes:
        token = unsubscribe_token(self.secret, mailing_list.address, member)
        mailto = f"mailto:{mailto_address(address_for(mailing_list, Purpose.UNSUBSCRIBE))}?subject={token}"
        return unsubscribe_fields(mailto, f"{self.site}{LEAVE_PATH}?{TOKEN}={token}" if self.site else "")
