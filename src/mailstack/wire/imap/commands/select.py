"""SELECT, and the parameters that EXAMINE shares with it. RFC 9051 §6.3.2, RFC 4466 §2.1, RFC 7162 §3.1.8, §3.2.5."""

from dataclasses import dataclass

from mailstack.model.ids import ModSeq
from mailstack.model.numset import NumSet
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.sets import known_set
from mailstack.wire.imap.tokens import MAX_NUMBER64, Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownState:
    """What the client has from its last visit. uids: None for all. matches: positions and the UIDs it knows there."""

    uid_validity: int
    mod_seq: ModSeq
    uids: NumSet | None = None
    matches: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """wants_mod_seqs: CONDSTORE. known: QRESYNC."""

    wants_mod_seqs: bool = False
    known: KnownState | None = None


NO_PARAMETERS = Parameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    mailbox: str
    parameters: Parameters = NO_PARAMETERS


MAX_MATCHES = 10_000
"""Pairs of RFC 7162 §3.2.5.2: a client sends a sample."""


def parse(cursor: Cursor) -> Select:
    cursor.space()
    return Select(mailbox=cursor.mailbox(), parameters=parameters(cursor))


def parameters(cursor: Cursor) -> Parameters:
    """select-params = SP "(" select-param *(SP select-param) ")", and the end of the command."""
    wants_mod_seqs = False
    known: KnownState | None = None
    if cursor.skip(b" "):
        cursor.require(b"(")
        while True:
            if cursor.skip_word(b"CONDSTORE"):
                wants_mod_seqs = True
            elif known is None and cursor.skip_word(b"QRESYNC"):
                known = _known_state(cursor)
            else:
                raise SyntaxProblem("no such parameter")
            if not cursor.skip(b" "):
                break
        cursor.require(b")")
    cursor.end()
    return Parameters(wants_mod_seqs=wants_mod_seqs, known=known)


def _known_state(cursor: Cursor) -> KnownState:
    """ "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")" """
    cursor.space()
    cursor.require(b"(")
    uid_validity = cursor.number()
    cursor.space()
    mod_seq = ModSeq(cursor.number(largest=MAX_NUMBER64))
    uids: NumSet | None = None
    matches: tuple[tuple[int, int], ...] = ()
    if cursor.skip(b" ") and not cursor.is_next(b"("):
        uids = known_set(cursor).resolved(0)
        cursor.skip(b" ")
    if cursor.is_next(b"("):
        matches = _matches(cursor)
    cursor.require(b")")
    if not uid_validity or not mod_seq:
        raise SyntaxProblem("UIDVALIDITY and mod-sequence are above 0")
    return KnownState(uid_validity=uid_validity, mod_seq=mod_seq, uids=uids, matches=matches)


def _matches(cursor: Cursor) -> tuple[tuple[int, int], ...]:
    """seq-match-data = "(" known-sequence-set SP known-uid-set ")", both ascending."""
    cursor.require(b"(")
    numbers = _ascending(known_set(cursor))
    cursor.space()
    uids = _ascending(known_set(cursor))
    cursor.require(b")")
    if numbers.count() != uids.count() or numbers.count() > MAX_MATCHES:
        raise SyntaxProblem("as many numbers as UIDs, and not too many, are matched")
    return tuple(zip(numbers, uids, strict=True))


def _ascending(numbers: NumSet) -> NumSet:
    ends = [end for pair in numbers.ranges for end in pair]
    if ends != sorted(ends):
        raise SyntaxProblem("what is matched is in ascending order")
    return numbers.resolved(0)
