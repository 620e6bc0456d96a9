"""How well messages that a search found fit what it asked for. RFC 6203 §4: 1 to 100, 100 for the best.

By where the words stand: in the subject they say what a message is about, in an address whose it is, in the text
little. The index keeps no counts, so how often they stand there plays no part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mailstack.model.ids import MailboxId
from mailstack.model.query import Contains, Fuzzy, HeaderContains, Query, nodes
from mailstack.model.search import HasWords, Scope
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.asking import asked_roughly

BEST = 100
_LEAST = 40
_WEIGHTS = (
    (BEST, (Scope.SUBJECT, Scope.SUBJECT_SHOWN)),
    (80, (Scope.FROM, Scope.FROM_SHOWN, Scope.TO, Scope.TO_SHOWN, Scope.CC, Scope.CC_SHOWN, Scope.BCC)),
    (60, (Scope.BODY,)),
)


async def relevancy(mail: AccountMail, mailbox_id: MailboxId, query: Query, uids: Sequence[int]) -> Mapping[int, int]:
    """Of each of these UIDs. What was not searched approximately fits wholly."""
    scores = dict.fromkeys(uids, _LEAST)
    texts = list(_approximate(query))
    if not texts:
        return dict.fromkeys(uids, BEST)
    for weight, scopes in reversed(_WEIGHTS):
        for text in texts:
            asked = asked_roughly(text).condition
            if asked is None or not set(scopes) & set(asked.scopes):
                continue
            for uid in await _with_words(mail, mailbox_id, asked, scopes):
                if uid in scores:
                    scores[uid] = weight
    return scores


async def _with_words(
    mail: AccountMail, mailbox_id: MailboxId, asked: HasWords, scopes: tuple[Scope, ...]
) -> Sequence[int]:
    narrowed = replace(asked, scopes=tuple(scope for scope in asked.scopes if scope in scopes))
    return (await mail.search.find(mail.account_id, mailbox_id, narrowed)).uids


def _approximate(query: Query) -> Sequence[Contains | HeaderContains]:
    return [
        text
        for node in nodes(query)
        if isinstance(node, Fuzzy)
        for text in nodes(node)
        if isinstance(text, Contains | HeaderContains)
    ]
