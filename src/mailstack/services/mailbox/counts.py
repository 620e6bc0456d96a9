"""How many messages and threads lie in a mailbox. RFC 8621 §2."""

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

from mailstack.model.flags import DRAFT, SEEN
from mailstack.model.message import PlacementTable


class MailboxCounts(NamedTuple):
    """A thread is unread here where a message of it is that lies in this mailbox."""

    emails: int
    unread_emails: int
    threads: int
    unread_threads: int


def counts_of(table: PlacementTable, beside: Sequence[int]) -> MailboxCounts:
    """beside: the thread of each message of the table."""
    threads, numbers = table.shown(beside), table.shown(table.flag_numbers)
    # RFC 8621 §2: what is neither seen nor a draft.
    answers = [flags.keywords.isdisjoint((SEEN, DRAFT)) for flags in table.flag_sets]
    unread = [answers[number] for number in numbers]
    return MailboxCounts(len(numbers), sum(unread), len(set(threads)), len(set(compress(threads, unread))))
