"""ORDEREDSUBJECT, and which messages of a mailbox come into threads. RFC 5256 §3."""

from mailstack.model.instant import Instant
from mailstack.model.sorting import Forest
from mailstack.services.mailbox.thread_references import Threaded
from mailstack.services.mailbox.threads import by_subject


def message(base_subject: str, sent_at: int) -> Threaded:
    return Threaded(
        header_id="", references=(), subject=base_subject, base_subject=base_subject, sent_at=Instant(sent_at)
    )


def test_messages_of_one_subject_stand_under_the_first() -> None:
    messages = [message("b", 5), message("A", 3), message("a", 1), message("c", 2), message("a", 9), message("B", 6)]

    assert by_subject(messages) == Forest(roots=[2, 3, 0], children={2: [1, 4], 0: [5]})


def test_where_dates_are_the_same_the_order_of_the_mailbox_decides() -> None:
    assert by_subject([message("a", 1), message("b", 1), message("a", 1)]) == Forest(roots=[0, 1], children={0: [2]})


def test_nothing() -> None:
    assert by_subject([]) == Forest(roots=[], children={})
