"""Searching many mailboxes at once: which those are, and what is found in one that is not selected. RFC 7377 §2.2.

What the viewer may not read is passed over without a word, so that nobody learns from an answer what there is
(CVE-2026-47081 and following).
"""

from collections.abc import Sequence

from mailstack.model.errors import Forbidden, Invalid, NotFound, TooLarge
from mailstack.model.mailbox import DELIMITER
from mailstack.model.mailbox_filter import MailboxFilter, Reach
from mailstack.model.numset import numset_of
from mailstack.model.query import Everything, InSequence, InUids, Not, Query, nodes, rewritten
from mailstack.model.rights import Right
from mailstack.services.mailbox.access import rights_on
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.listing import Listed, Selection, list_mailboxes
from mailstack.services.mailbox.paths import join_path, split_path
from mailstack.services.mailbox.patterns import Pattern
from mailstack.services.mailbox.places import Place, find_readable, shown_path
from mailstack.services.mailbox.report import Report, unheard
from mailstack.services.mailbox.search import search_mailbox
from mailstack.services.mailbox.selected import SelectedMailbox
from mailstack.services.mailbox.tree import load_tree

MAX_SEARCHED = 2_000
"""RFC 7377 §2.4: mailboxes in one search."""
_NAMED = (Reach.SELECTED, Reach.SELECTED_DELAYED, Reach.MAILBOXES)
_EVERYTHING = Selection(patterns=(Pattern("", "*"),))


async def searched_places(
    mail: AccountMail, filters: Sequence[MailboxFilter], selected: SelectedMailbox | None
) -> Sequence[Place]:
    """Each once. Raises TooLarge."""
    listed = [] if all(choice.reach in _NAMED for choice in filters) else await list_mailboxes(mail, _EVERYTHING)
    places: list[Place] = []
    for choice in filters:
        if choice.reach in (Reach.SELECTED, Reach.SELECTED_DELAYED):
            places += await _selected_place(selected)
        elif choice.reach is Reach.MAILBOXES:
            places += await _named(mail, choice.paths)
        else:
            places += _reached(choice, listed)
    found = {(place.mail.account_id, place.mailbox.mailbox_id): place for place in places}
    if len(found) > MAX_SEARCHED:
        raise TooLarge(f"at most {MAX_SEARCHED} mailboxes are searched at once")
    return list(found.values())


async def search_place(place: Place, query: Query, *, report: Report = unheard) -> Sequence[int]:
    """UIDs, ascending; none in a mailbox that was just deleted. Message numbers are those of the mailbox as it is now;
    what is past the end is no error.
    """
    try:
        if any(isinstance(node, InSequence) for node in nodes(query)):
            uids = (await place.mail.views.current(place.mail.account_id, place.mailbox.mailbox_id)).table.uids
            query = rewritten(query, lambda term: _by_uid(term, uids) if isinstance(term, InSequence) else term)
        return await search_mailbox(place.mail, place.mailbox, query, report=report)
    except NotFound:
        return ()


def _by_uid(term: InSequence, uids: Sequence[int]) -> Query:
    ranges = term.numbers.resolved(len(uids)).ranges if uids else ()
    chosen = [uid for first, last in ranges for uid in uids[first - 1 : last]]
    return InUids(numset_of(chosen)) if chosen else Not(Everything())


async def _selected_place(selected: SelectedMailbox | None) -> Sequence[Place]:
    if selected is None:
        return ()
    mail = selected.mail
    rights = await rights_on(mail, selected.mailbox_id)
    if Right.READ not in rights:
        return ()
    return [
        Place(mail=mail, mailbox=mailbox, path=shown_path(mail, split_path(path)), rights=rights)
        for path, mailbox in await load_tree(mail)
        if mailbox.mailbox_id == selected.mailbox_id
    ]


async def _named(mail: AccountMail, paths: Sequence[str]) -> Sequence[Place]:
    places: list[Place] = []
    for path in paths:
        try:
            places.append(await find_readable(mail, path))
        except (NotFound, Forbidden):
            continue
    return places


def _reached(choice: MailboxFilter, listed: Sequence[Listed]) -> Sequence[Place]:
    """RFC 7377 §2.2: what is not named needs the right to be listed, which `listed` has seen to, and to be read."""
    roots = [path for path in map(_normalized, choice.paths) if path]
    return [
        one.place
        for one in listed
        if one.place is not None and Right.READ in one.place.rights and _covers(choice.reach, roots, one, one.place)
    ]


def _covers(reach: Reach, roots: Sequence[str], listed: Listed, place: Place) -> bool:
    match reach:
        case Reach.PERSONAL | Reach.INBOXES:
            # RFC 5465 §6.3: filters may deliver anywhere, so any mailbox is an inbox.
            return place.mail.is_own
        case Reach.SUBSCRIBED:
            return listed.is_subscribed
        case Reach.SUBTREE:
            return any(listed.path == root or listed.path.startswith(root + DELIMITER) for root in roots)
        case Reach.SUBTREE_ONE:
            parent = listed.path.rpartition(DELIMITER)[0]
            return any(root in (listed.path, parent) for root in roots)
        case _:
            return False


def _normalized(path: str) -> str:
    """ "" for what can be no mailbox."""
    try:
        return join_path(split_path(path))
    except (Invalid, TooLarge):
        return ""
