"""Where scripts file mail: mailboxes by path, by use or by id. RFC 5228 §4.1, RFC 5490 §3.2, RFC 8579, RFC 9042."""

from dataclasses import dataclass

from mailstack.model.errors import AlreadyExists, Invalid, NotFound, TooLarge
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.mailbox import Mailbox, MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.ports.mailboxes import DeliveryMailboxes
from mailstack.services.mailbox.hierarchy import MAX_MAILBOXES
from mailstack.services.mailbox.paths import split_path
from mailstack.services.mailbox.special_use import ATTRIBUTES
from mailstack.sieve.actions import FileInto

_ROLES = {text.casefold(): role for role, text in ATTRIBUTES.items()}
# Mail is not put where others would have to be shown.
_SHOWING = (MailboxRole.ALL, MailboxRole.FLAGGED)


@dataclass(frozen=True, slots=True)
class Places:
    mailboxes: DeliveryMailboxes

    async def place_of(self, account_id: AccountId, action: FileInto) -> MailboxId | None:
        """None: there is none, and none was to be made."""
        if action.mailbox_id and (found := await self.by_object_id(account_id, action.mailbox_id)) is not None:
            return found
        if action.special_use and (found := await self.by_use(account_id, action.special_use)) is not None:
            return found
        found = await self.by_path(account_id, action.mailbox)
        if found is None and action.create:
            found = await self._made(account_id, action)
        return found

    async def by_path(self, account_id: AccountId, path: str) -> MailboxId | None:
        found = await self._find(account_id, path)
        return None if found is None else found.mailbox_id

    async def by_use(self, account_id: AccountId, use: str, path: str = "") -> MailboxId | None:
        """path: "" for whichever has the use."""
        role = _ROLES.get(use.casefold())
        if role is None:
            return None
        if path:
            found = await self._find(account_id, path)
            return found.mailbox_id if found is not None and found.role is role else None
        return next((one.mailbox_id for one in await self.mailboxes.list(account_id) if one.role is role), None)

    async def by_object_id(self, account_id: AccountId, object_id: str) -> MailboxId | None:
        for mailbox in await self.mailboxes.list(account_id):
            if mailbox_object_id(account_id, mailbox.mailbox_id) == object_id:
                return mailbox.mailbox_id
        return None

    async def _find(self, account_id: AccountId, path: str) -> Mailbox | None:
        try:
            names = split_path(path)
        except (Invalid, TooLarge):
            return None
        return await self.mailboxes.find(account_id, names)

    async def _made(self, account_id: AccountId, action: FileInto) -> MailboxId | None:
        """With what is missing above it."""
        try:
            names = split_path(action.mailbox)
        except (Invalid, TooLarge):
            return None
        if len(await self.mailboxes.list(account_id)) + len(names) > MAX_MAILBOXES:
            return None
        above: MailboxId | None = None
        try:
            for depth in range(1, len(names)):
                above = await self._make(account_id, names[:depth], above, role=None)
            role = await self._free_role(account_id, action.special_use)
            return await self._make(account_id, names, above, role=role)
        except (AlreadyExists, NotFound):  # others make and delete at the same time, and no mail is refused for that
            return None

    async def _free_role(self, account_id: AccountId, use: str) -> MailboxRole | None:
        """RFC 8579 §4.2: a mailbox that is made for a use gets it, as long as no other has it."""
        role = _ROLES.get(use.casefold())
        if role is None or role in _SHOWING:
            return None
        return None if any(one.role is role for one in await self.mailboxes.list(account_id)) else role

    async def _make(
        self, account_id: AccountId, names: tuple[str, ...], above: MailboxId | None, *, role: MailboxRole | None
    ) -> MailboxId:
        found = await self.mailboxes.find(account_id, names)
        if found is not None:
            return found.mailbox_id
        try:
            made = await self.mailboxes.create(account_id, parent_id=above, name=names[-1], role=role)
        except AlreadyExists:  # another mail was faster
            found = await self.mailboxes.find(account_id, names)
            if found is None:
                raise
            return found.mailbox_id
        # Else many clients would never show it.
        await self.mailboxes.subscribe(account_id, made.mailbox_id, is_subscribed=True)
        return made.mailbox_id
