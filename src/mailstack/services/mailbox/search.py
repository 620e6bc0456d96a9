"""Which messages of the selected mailbox match. RFC 9051 §6.4.4; what matching means is services.mailbox.match's."""

from mailstack.model.query import And, InSequence, InUids, Not, Or, Query
from mailstack.services.mailbox.match import matching
from mailstack.services.mailbox.selected import Chosen, SelectedMailbox


async def search(selected: SelectedMailbox, query: Query) -> Chosen:
    """Raises Invalid for a position past the end."""
    mail = selected.mail
    query = await _in_uids(selected, query)
    placements = await mail.messages.placements(mail.account_id, selected.mailbox_id)
    found = await matching(query, placements, messages=mail.messages, account_id=mail.account_id)
    # What the session has not been told of has no number yet: it is not found.
    return await selected.locate([placement.uid for placement in found])


async def _in_uids(selected: SelectedMailbox, query: Query) -> Query:
    """Positions and `*` mean something in this session only: UIDs in their place."""
    match query:
        case And(terms):
            return And(tuple([await _in_uids(selected, term) for term in terms]))
        case Or(terms):
            return Or(tuple([await _in_uids(selected, term) for term in terms]))
        case Not(term):
            return Not(await _in_uids(selected, term))
        case InSequence(numbers):
            return InUids((await selected.choose(numbers, is_uid=False)).uid_set)
        case InUids(uids):
            return InUids((await selected.choose(uids, is_uid=True)).uid_set)
        case _:
            return query
