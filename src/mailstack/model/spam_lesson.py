"""What people say of messages, and what the models were taught of that."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.ids import AccountId, MessageId
from mailstack.model.instant import DAY_MS

LESSONS_KEPT_MS = 90 * DAY_MS
"""After that, what was taught is no longer taken back."""
VOTES_KEPT_MS = 30 * DAY_MS
"""A campaign that comes again later is a new one."""
MOST_NOTED = 200
"""Lessons of one command: whoever moves ten thousand messages says enough by the last of them."""


class Said(StrEnum):
    NOTHING = ""
    HAM = "ham"
    SPAM = "spam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """wanted: what is to be taught of the message. taught: what the models were taught of it. update, shared_update:
    what that changed in the account's model and in the shared one, packed by spam.packed, b"" for nothing."""

    account_id: AccountId
    message_id: MessageId
    wanted: Said
    taught: Said
    update: bytes
    shared_update: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What became of a lesson. said: what the models hold of the message from here on. bands: of the campaign on which
    this is a vote, none where it is no vote."""

    message_id: MessageId
    said: Said
    update: bytes = b""
    shared_update: bytes = b""
    bands: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Lessons of one account, learned together. table: its model afterwards, None where that did not change.
    passed_over: lessons that nobody will learn. shared_updates: packed, for the shared model."""

    account_id: AccountId
    table: bytes | None
    taught: Sequence[Taught]
    passed_over: Sequence[MessageId]
    shared_updates: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What an account said of mail that has so many of the bands that were asked for."""

    account_id: AccountId
    said: Said
    bands: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedNews:
    """Of the shared model, after some number. base: a whole table to begin with; None: what was known goes on.
    updates: packed, on top of it. number: of the last of all, 0 where nothing was ever learned."""

    base: bytes | None
    updates: Sequence[bytes]
    number: int
