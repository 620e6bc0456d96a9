"""A query on the messages of one mailbox, decided by whoever knows most for least: flags, UIDs and mod-sequences on the
mailbox's table, dates and sizes by the store, words by the full-text index.

Each term answers with bounds, so that AND, OR and NOT of sure and unsure answers stay right; only the messages between
the bounds of the whole query are read, and matched by services.mailbox.match.
"""

from collections.abc import Sequence
from typing import assert_never

from mailstack.model.flags import DELETED
from mailstack.model.ids import MailboxId
from mailstack.model.message import Column, FlagSet
from mailstack.model.numset import numset_of
from mailstack.model.query import (
    AgeRange,
    And,
    Contains,
    DayRange,
    EmailIdIs,
    Everything,
    Fuzzy,
    HasAttachment,
    HasKeyword,
    HeaderContains,
    InMailbox,
    InMailboxOtherThan,
    InSequence,
    InstantRange,
    InUids,
    IsDeleted,
    ModSeqAtLeast,
    Not,
    Or,
    Query,
    SavedResult,
    SizeRange,
    ThreadHasKeyword,
    ThreadIdIs,
    TimeField,
    rewritten,
)
from mailstack.model.search import Condition
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.asking import Asked, asked_of, asked_roughly
from mailstack.services.mailbox.masks import Bounds, Masks, Matched
from mailstack.services.mailbox.match import matching
from mailstack.services.mailbox.predicates import instants_of, within
from mailstack.services.mailbox.report import Report, unheard
from mailstack.services.mailbox.view import MailboxView

_VERIFIED_AT_ONCE = 1_000


async def evaluate(mail: AccountMail, mailbox_id: MailboxId, query: Query, *, report: Report = unheard) -> Matched:
    """query: without what only a session knows (positions, `$`, ages)."""
    view = await mail.views.current(mail.account_id, mailbox_id)
    return await _Evaluation(mail, mailbox_id, view).matching(query, report)


class _Evaluation:
    def __init__(self, mail: AccountMail, mailbox_id: MailboxId, view: MailboxView) -> None:
        self._mail = mail
        self._mailbox_id = mailbox_id
        self._view = view
        self._masks = Masks(view.table)
        self._decided: dict[Query, int] = {}

    async def matching(self, query: Query, report: Report) -> Matched:
        bounds = await self._bounds(query, is_fuzzy=False)
        doubtful = self._masks.uids(bounds.open)
        if not doubtful:
            return self._masks.matched(bounds.certain)
        verified: list[int] = []
        # What the store has answered already is not asked of each message again.
        left = rewritten(query, self._answered)
        for start in range(0, len(doubtful), _VERIFIED_AT_ONCE):
            report(start, len(doubtful))
            verified += await self._verified(left, doubtful[start : start + _VERIFIED_AT_ONCE])
        return self._masks.matched(bounds.certain | self._masks.of_uids(verified))

    def _answered(self, leaf: Query) -> Query:
        mask = self._decided.get(leaf)
        return leaf if mask is None else InUids(numset_of(self._masks.uids(mask)))

    async def _verified(self, query: Query, uids: Sequence[int]) -> list[int]:
        mail = self._mail
        placements = await mail.messages.placements(mail.account_id, self._mailbox_id, numset_of(uids))
        found = await matching(query, placements, messages=mail.messages, account_id=mail.account_id)
        return [placement.uid for placement in found]

    async def _bounds(self, query: Query, *, is_fuzzy: bool) -> Bounds:
        masks = self._masks
        match query:
            case And(terms):
                return await self._all(terms, is_fuzzy=is_fuzzy)
            case Or(terms):
                found = masks.none
                for term in sorted(terms, key=_cost):
                    found |= await self._bounds(term, is_fuzzy=is_fuzzy)
                return found
            case Not(term):
                return masks.inverse(await self._bounds(term, is_fuzzy=is_fuzzy))
            case Fuzzy(term):
                return await self._bounds(term, is_fuzzy=True)
            case Contains() | HeaderContains():
                return await self._with_text(asked_roughly(query) if is_fuzzy else asked_of(query))
            case InstantRange() | DayRange() | SizeRange() | EmailIdIs() | ThreadIdIs() | HasAttachment():
                return await self._stored(query)
            case InMailbox() | InMailboxOtherThan() | ThreadHasKeyword():
                raise ValueError("what asks about a whole account was not rewritten")
            case _:
                certain = self._on_table(query)
                return Bounds(certain, certain)

    async def _all(self, terms: Sequence[Query], *, is_fuzzy: bool) -> Bounds:
        found = self._masks.all
        for term in sorted(terms, key=_cost):
            if not found.possible:
                break
            found &= await self._bounds(term, is_fuzzy=is_fuzzy)
        return found

    def _on_table(
        self, query: Everything | HasKeyword | IsDeleted | InUids | ModSeqAtLeast | InSequence | SavedResult | AgeRange
    ) -> int:
        masks = self._masks
        match query:
            case Everything():
                return masks.every
            case IsDeleted():
                return masks.of_flags([flags.is_deleted for flags in masks.table.flag_sets])
            case HasKeyword(keyword):
                return masks.of_flags([has_keyword(flags, keyword) for flags in masks.table.flag_sets])
            case InUids(uids):
                return masks.of_ranges(uids.resolved(masks.table.uids[-1] if masks.table.uids else 0))
            case ModSeqAtLeast(mod_seq):
                return masks.of_mod_seqs(mod_seq)
            case InSequence() | SavedResult() | AgeRange():
                raise ValueError("what only a session knows was not rewritten")
            case _:
                assert_never(query)

    async def _with_text(self, asked: Asked) -> Bounds:
        if asked.condition is None:
            return self._masks.unknown
        found = await self._found(asked.condition)
        return found if asked.is_exact else Bounds(0, found.possible)

    async def _stored(
        self, query: InstantRange | DayRange | SizeRange | EmailIdIs | ThreadIdIs | HasAttachment
    ) -> Bounds:
        mask: int | None = None
        if isinstance(query, InstantRange | DayRange) and query.field is TimeField.SAVED:
            mask = self._masks.of_uids(await self._saved(query))
        elif isinstance(query, InstantRange | DayRange) and query.field is TimeField.RECEIVED:
            mask = await self._received(query)
        found = await self._found(query) if mask is None else Bounds(mask, mask)
        if not found.open and isinstance(query, InstantRange | DayRange | EmailIdIs | ThreadIdIs):
            self._decided[query] = found.certain
        return found

    async def _found(self, condition: Condition) -> Bounds:
        hits = await self._mail.search.find(self._mail.account_id, self._mailbox_id, condition)
        certain = self._masks.of_uids(hits.uids)
        return Bounds(certain, certain | self._masks.of_uids(hits.open))

    async def _received(self, query: InstantRange | DayRange) -> int | None:
        """None when the view has another table by now."""
        instants = await self._view.received()
        if self._view.table is not self._masks.table:
            return None
        return self._masks.of_instants(instants, *instants_of(query))

    async def _saved(self, query: InstantRange | DayRange) -> list[int]:
        """RFC 8514 §4.1: a message without a saved date counts by the date it was received."""
        rows = await self._mail.messages.columns(
            self._mail.account_id, self._mailbox_id, (Column.SAVED_AT, Column.RECEIVED_AT)
        )
        return [uid for uid, saved, received in rows if within(query, received if saved is None else saved)]


def has_keyword(flags: FlagSet, keyword: str) -> bool:
    # RFC 9051 §2.3.2: keywords are compared without regard to case.
    keyword = keyword.casefold()
    if keyword == DELETED.casefold():
        return flags.is_deleted
    return keyword in flags.keywords_text.casefold().split()


def _cost(query: Query) -> int:
    match query:
        case And(terms) | Or(terms):
            return max(map(_cost, terms), default=0)
        case Not(term) | Fuzzy(term):
            return _cost(term)
        case Contains() | HeaderContains():
            return 2
        case InstantRange() | DayRange() | SizeRange() | EmailIdIs() | ThreadIdIs() | HasAttachment():
            return 1
        case _:
            return 0
