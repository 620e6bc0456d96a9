"""What scripts do with a mail, in words for people."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from mailstack.sieve.actions import (
    Action,
    Discard,
    FileInto,
    Keep,
    Notify,
    Redirect,
    Reject,
    Report,
    TrackDuplicate,
    Vacation,
)


def name_of(action: Action) -> str:
    """As scripts have it."""
    match action:
        case Keep():
            return "keep"
        case FileInto():
            return "fileinto"
        case Discard():
            return "discard"
        case Reject():
            return action.kind.value
        case Redirect():
            return "redirect"
        case Vacation():
            return "vacation"
        case Notify():
            return "notify"
        case Report():
            return "report"
        case TrackDuplicate():
            return "duplicate"
    assert_never(action)


def rest_of(action: Action) -> str:
    """After its name."""
    return "".join(_rest(action))


def sentence(action: Action) -> str:
    return f"{name_of(action)}{rest_of(action)}"


def _rest(action: Action) -> Iterator[str]:
    match action:
        case Keep():
            yield " in INBOX"
            yield from _flags(action.flags)
            yield " (implicit: nothing else was done with it)" if action.is_implicit else ""
        case FileInto():
            yield f" {action.mailbox}"
            yield from _flags(action.flags)
            yield ", made if it is not there" if action.create else ""
        case Redirect():
            yield f" to {action.address or f'the members of {action.list_name}'}"
        case Reject():
            yield f": {action.reason}"
        case Vacation():
            yield f": answers with {action.reason!r}"
            yield f", at most once in {_seconds(action.period_s)}" if action.period_s else ""
        case Notify():
            yield f" {action.method}: {action.message}"
        case Report():
            yield f" as {action.feedback_type} to {action.address}: {action.message}"
            yield "" if action.has_body else " (its header alone)"
        case TrackDuplicate():
            yield f": {action.unique_id} counts as seen for {_seconds(action.period_s)}"
        case Discard():
            pass
    if isinstance(action, Keep | FileInto | Redirect) and action.raw is not None:
        yield ", as it was edited"


def _flags(flags: Sequence[str] | None) -> Iterator[str]:
    if flags:
        yield f" with {' '.join(flags)}"


def _seconds(count: int) -> str:
    return f"{count} second{'' if count == 1 else 's'}"
