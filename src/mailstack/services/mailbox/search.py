"""Which messages of a mailbox match. RFC 9051 §6.4.4; how a query is decided is services.mailbox.evaluation's."""

from collections.abc import Sequence

from mailstack.model.ids import MailboxId
from mailstack.model.mailbox import Mailbox
from mailstack.model.query import (
    And,
    Contains,
    Fuzzy,
    HeaderContains,
    InSequence,
    InUids,
    Not,
    Or,
    Query,
    nodes,
)
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.evaluation import evaluate
from mailstack.services.mailbox.indexing import catch_up
from mailstack.services.mailbox.masks import Matched
from mailstack.services.mailbox.report import Report, unheard
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox


async def search(selected: SelectedMailbox, query: Query, *, report: Report = unheard) -> Chosen:
    """Raises Invalid for a position past the end."""
    found = await _found(selected.mail, selected.mailbox_id, await _in_uids(selected, query), report)
    # What the session has not been told of has no number yet: it is not found.
    if not selected.counts_by(found.here):
        return await selected.locate(found.uids())
    return Chosen(numbers=found.numbers(selected.count), uids=found.uids(selected.count).tolist())


async def search_uids(selected: SelectedMailbox, query: Query, *, report: Report = unheard) -> Sequence[int]:
    """The same without positions, which take as long to make as the search itself; ascending."""
    found = await _found(selected.mail, selected.mailbox_id, await _in_uids(selected, query), report)
    return found.uids(selected.count) if selected.counts_by(found.here) else (await selected.locate(found.uids())).uids


async def search_mailbox(
    mail: AccountMail, mailbox: Mailbox, query: Query, *, report: Report = unheard
) -> Sequence[int]:
    """UIDs of a mailbox that is not selected, ascending. query: without message numbers."""
    return (await _found(mail, mailbox.mailbox_id, query, report)).uids()


async def _found(mail: AccountMail, mailbox_id: MailboxId, query: Query, report: Report) -> Matched:
    if any(isinstance(node, Contains | HeaderContains) for node in nodes(query)):
        await catch_up(mail.search, mail.account_id, report=report)
    return await evaluate(mail, mailbox_id, query, report=report)


async def _in_uids(selected: SelectedMailbox, query: Query) -> Query:
    """Positions and `*` mean something in this session only: UIDs in their place."""
    match query:
        case And(terms):
            return And(tuple([await _in_uids(selected, term) for term in terms]))
        case Or(terms):
            return Or(tuple([await _in_uids(selected, term) for term in terms]))
        case Not(term):
            return Not(await _in_uids(selected, term))
        case Fuzzy(term):
            return Fuzzy(await _in_uids(selected, term))
        case InSequence(numbers):
            return InUids((await selected.choose(numbers, is_uid=False)).uid_set)
        case InUids(uids):
            return InUids((await selected.choose(uids, is_uid=True)).uid_set)
        case _:
            return query
