"""Who may do what with a mailbox: RFC 4314's rights, and how entries of an access control list add up.

Not where the lists are kept (ports.sharing) nor who asks (services.mailbox.access).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

from mailstack.model.errors import Invalid
from mailstack.model.flags import DELETED, SEEN
from mailstack.model.ids import AccountId


class Right(StrEnum):
    """RFC 4314 §2.1, in the order in which they are written."""

    LOOKUP = "l"
    READ = "r"
    SEEN = "s"
    WRITE = "w"
    INSERT = "i"
    POST = "p"
    CREATE = "k"
    DELETE_MAILBOX = "x"
    DELETE_MESSAGES = "t"
    EXPUNGE = "e"
    ADMINISTER = "a"


Rights = frozenset[Right]
NO_RIGHTS: Rights = frozenset()
ALL_RIGHTS: Rights = frozenset(Right)

# RFC 8621 §2, mayReadItems: `r` alone shows a mailbox to IMAP, whose clients may know its name.
READING_RIGHTS: Rights = frozenset({Right.LOOKUP, Right.READ})
# RFC 4314 §5.2: the shared flag rights: every flag, \Seen too, is the same for all who see the mailbox.
FLAG_RIGHTS: Rights = frozenset({Right.SEEN, Right.WRITE, Right.DELETE_MESSAGES})
# RFC 4314 §5.2: any of these makes a selected mailbox READ-WRITE.
CHANGING_RIGHTS: Rights = FLAG_RIGHTS | {Right.INSERT, Right.EXPUNGE}
# RFC 4314 §2.1.1: create and delete, as they were before; DELETE of a mailbox goes with the former.
_OBSOLETE: dict[str, Rights] = {
    "c": frozenset({Right.CREATE, Right.DELETE_MAILBOX}),
    "d": frozenset({Right.DELETE_MESSAGES, Right.EXPUNGE}),
}
OBSOLETE_LETTERS = tuple(_OBSOLETE)
_BY_LETTER: dict[str, Rights] = {**{right.value: frozenset({right}) for right in Right}, **_OBSOLETE}

ANYONE = "anyone"
AUTHENTICATED = "authenticated"
"""Nobody reads mail without a login, so the two mean the same. RFC 4314 §2 knows only the first."""
NEGATIVE = "-"
MAX_IDENTIFIER_CHARACTERS = 320


class RightsOperation(Enum):
    """RFC 4314 §3.1: no sign, +, -."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One entry of a list. identifier: as it is shown, with `-` in front for rights taken away (RFC 4314 §2).

    account_id: whom it is for: the account that had this login when the entry was made, so that a later account of the
    same login inherits nothing; None for anyone, and for a login that was nobody's.
    """

    identifier: str
    account_id: AccountId | None
    rights: Rights


def parse_rights(letters: str) -> Rights:
    """RFC 4314 §3.1: an unknown letter, upper case too, is refused. Raises Invalid."""
    try:
        return NO_RIGHTS.union(*(_BY_LETTER[letter] for letter in letters))
    except KeyError:
        raise Invalid("no such right") from None


def rights_text(rights: Rights) -> str:
    return "".join(right.value for right in Right if right in rights)


def shown_rights(rights: Rights) -> str:
    """RFC 4314 §2.1.1: with the obsolete right of which any member is there."""
    return rights_text(rights) + "".join(letter for letter, members in _OBSOLETE.items() if members & rights)


def changed_rights(rights: Rights, operation: RightsOperation, named: Rights) -> Rights:
    match operation:
        case RightsOperation.SET:
            return named
        case RightsOperation.ADD:
            return rights | named
        case RightsOperation.REMOVE:
            return rights - named


def is_for_all(identifier: str) -> bool:
    return identifier.removeprefix(NEGATIVE) in (ANYONE, AUTHENTICATED)


def effective_rights(grants: Iterable[Grant], account_id: AccountId) -> Rights:
    """What all entries together give an account. RFC 4314 §2: what is taken away counts, whoever grants it."""
    given: set[Right] = set()
    taken: set[Right] = set()
    for grant in grants:
        if grant.account_id == account_id or is_for_all(grant.identifier):
            (taken if grant.identifier.startswith(NEGATIVE) else given).update(grant.rights)
    return frozenset(given - taken)


def right_for_flag(flag: str) -> Right:
    """RFC 4314 §4. flag: in canonical spelling."""
    if flag == DELETED:
        return Right.DELETE_MESSAGES
    return Right.SEEN if flag == SEEN else Right.WRITE
