"""Which mailboxes a command is about, without naming each: RFC 5465 §6 (NOTIFY), RFC 7377 §2.2 (ESEARCH)."""

from dataclasses import dataclass
from enum import Enum


class Reach(Enum):
    SELECTED = "SELECTED"
    SELECTED_DELAYED = "SELECTED-DELAYED"
    INBOXES = "INBOXES"
    PERSONAL = "PERSONAL"
    SUBSCRIBED = "SUBSCRIBED"
    SUBTREE = "SUBTREE"
    SUBTREE_ONE = "SUBTREE-ONE"
    MAILBOXES = "MAILBOXES"


NAMING = frozenset({Reach.SUBTREE, Reach.SUBTREE_ONE, Reach.MAILBOXES})


@dataclass(frozen=True, slots=True)
class MailboxFilter:
    """paths: for the reaches of NAMING, as the client wrote them."""

    reach: Reach
    paths: tuple[str, ...] = ()
