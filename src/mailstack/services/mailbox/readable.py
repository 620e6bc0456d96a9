"""The mailboxes of an account that the viewer may read, looked at once for one question about the whole account."""

from collections.abc import Sequence
from itertools import compress

from mailstack.model.errors import NotFound
from mailstack.model.ids import MailboxId
from mailstack.model.query import ThreadReach
from mailstack.model.rights import READING_RIGHTS
from mailstack.services.mailbox.access import all_rights_on, rights_on
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.evaluation import has_keyword
from mailstack.services.mailbox.view import MailboxView


class Readable:
    """Views are brought up to date when first asked for, and threads are read once for each keyword."""

    def __init__(self, mail: AccountMail) -> None:
        self._mail = mail
        self._views: dict[MailboxId, MailboxView | None] = {}
        self._all: list[MailboxView] | None = None
        self._threads: dict[str, tuple[set[int], set[int]]] = {}

    async def view(self, mailbox_id: MailboxId) -> MailboxView | None:
        """None: there is no such mailbox that the viewer may read."""
        if mailbox_id not in self._views:
            self._views[mailbox_id] = await self._current(mailbox_id)
        return self._views[mailbox_id]

    async def views(self) -> Sequence[MailboxView]:
        if self._all is None:
            rights = await all_rights_on(self._mail)
            found: list[MailboxView] = []
            for mailbox in await self._mail.mailboxes.list(self._mail.account_id):
                if rights(mailbox.mailbox_id) >= READING_RIGHTS:
                    view = await self._view_of_readable(mailbox.mailbox_id)
                    found += [] if view is None else [view]
            self._all = found
        return self._all

    async def in_threads(self, keyword: str, reach: ThreadReach) -> tuple[set[int], bool]:
        """Threads, and whether it is they that are meant (True) or all others."""
        if keyword not in self._threads:
            self._threads[keyword] = await self._with_keyword(keyword)
        having, lacking = self._threads[keyword]
        match reach:
            case ThreadReach.SOME:
                return having, True
            case ThreadReach.NONE:
                return having, False
            case ThreadReach.ALL:
                return having - lacking, True

    async def _with_keyword(self, keyword: str) -> tuple[set[int], set[int]]:
        """The threads of those that have it, and of those that do not; without \\Deleted ones (RFC 8621 §4.1.1)."""
        having: set[int] = set()
        lacking: set[int] = set()
        for view in await self.views():
            beside = await view.threads()
            threads, numbers = view.table.shown(beside), view.table.shown(view.table.flag_numbers)
            answers = [has_keyword(flags, keyword) for flags in view.table.flag_sets]
            has = [answers[number] for number in numbers]
            having.update(compress(threads, has))
            lacking.update(compress(threads, (not each for each in has)))
        return having, lacking

    async def _current(self, mailbox_id: MailboxId) -> MailboxView | None:
        try:
            if not await rights_on(self._mail, mailbox_id) >= READING_RIGHTS:
                return None
        except NotFound:
            return None
        return await self._view_of_readable(mailbox_id)

    async def _view_of_readable(self, mailbox_id: MailboxId) -> MailboxView | None:
        if mailbox_id not in self._views:
            try:
                self._views[mailbox_id] = await self._mail.views.current(self._mail.account_id, mailbox_id)
            except NotFound:
                self._views[mailbox_id] = None
        return self._views[mailbox_id]
