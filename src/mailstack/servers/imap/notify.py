"""NOTIFY. RFC 5465 §3.1. What is told afterwards is servers.imap.watch's; when, servers.imap.waiting's."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.errors import Forbidden, Invalid, NotFound, TooLarge
from mailstack.model.ids import AccountId
from mailstack.model.mailbox import DELIMITER
from mailstack.model.rights import Right
from mailstack.servers.imap.session import Completed, Session, ok
from mailstack.servers.imap.updates import tell_updates
from mailstack.servers.imap.watch import NOTHING, begin_watch
from mailstack.servers.imap.watch_news import say_all_statuses
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import join_path, split_path
from mailstack.services.mailbox.places import find, owner_of
from mailstack.wire.imap.commands.notify import EventGroup, Notify
from mailstack.wire.imap.responses import ListData


async def run(session: Session, request: Notify) -> Completed:
    # RFC 5465 §3.1: what has gathered is told first, by the rules that held until now.
    await tell_updates(session, with_expunges=True)
    if request.groups is None:
        session.watch = NOTHING
        return ok("NOTIFY completed")
    groups = tuple(_canonical(group) for group in request.groups)
    await _say_unreadable(session, groups)
    watch = await begin_watch(await _mails(session.mail, groups), groups)
    if request.wants_status:
        await say_all_statuses(session, watch)
    session.watch = watch
    return ok("NOTIFY completed")


def _canonical(group: EventGroup) -> EventGroup:
    """RFC 5465 §3.1: names of what is not there are passed over."""
    paths = tuple(path for name in group.mailboxes.paths if (path := _path(name)) is not None)
    return replace(group, mailboxes=replace(group.mailboxes, paths=paths))


def _path(name: str) -> str | None:
    try:
        return join_path(split_path(name))
    except (Invalid, TooLarge):
        return None


async def _say_unreadable(session: Session, groups: Sequence[EventGroup]) -> None:
    """RFC 5465 §3.1: what the client may know of, and not watch."""
    for path in dict.fromkeys(path for group in groups for path in group.mailboxes.paths):
        try:
            place = await find(session.mail, path, Right.LOOKUP)
        except (NotFound, Forbidden):
            continue
        if Right.READ not in place.rights:
            session.connection.say(ListData(attributes=("\\NoAccess",), delimiter=DELIMITER, name=place.path))


async def _mails(mail: AccountMail, groups: Sequence[EventGroup]) -> tuple[AccountMail, ...]:
    """Whose mailboxes are meant: the client's own, and those of others that it names."""
    mails: dict[AccountId, AccountMail] = {}
    for group in groups:
        if not group.is_of_selected:
            mails[mail.account_id] = mail
        for path in group.mailboxes.paths:
            try:
                owner, _ = await owner_of(mail, split_path(path))
            except NotFound:
                continue
            mails[owner.account_id] = owner
    return tuple(mails.values())
