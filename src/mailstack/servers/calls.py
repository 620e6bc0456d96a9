"""What takes more than a look into the store, and is carried out elsewhere: drift, plans and applies, questions to
the log.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mailstack.model.ids import TokenId


class CallKind(StrEnum):
    DRIFT = "drift"
    PLAN = "plan"
    APPLY = "apply"
    # Of the spec that lies on the server: for who is an administrator there.
    OWN_DRIFT = "own drift"
    OWN_PLAN = "own plan"
    OWN_APPLY = "own apply"
    ENTRY = "entry"
    PROPOSAL = "proposal"
    RECORDS = "records"
    ZONE = "zone"
    AROUND_DNS = "around DNS"
    SPAM = "spam"
    TOKENS = "tokens"
    WRITE = "write"
    UNDO = "undo"
    EDITS = "edits"
    # Of what this node has told.
    MAILS = "mails"
    MAIL_FIGURES = "mail figures"


APPLIES = frozenset({CallKind.APPLY, CallKind.OWN_APPLY, CallKind.WRITE, CallKind.UNDO})
"""What goes on when its caller has left."""
OF_THE_LOG = frozenset({CallKind.MAILS, CallKind.MAIL_FIGURES})
"""What neither the spec nor the store is needed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """caller: the token, or who is signed in, for the log and for whoever else wants to apply meanwhile. may_apply:
    whether it could do that itself; one that may only plan is not told whether a password is the one in use."""

    kind: CallKind
    caller: TokenId
    may_apply: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """chunks: of the content, as they come. close: once nobody listens any more, whether all was heard or not."""

    status: int
    media_type: str
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


class Calls(Protocol):
    async def carry_out(self, call: Call, content: bytes) -> Answer:
        """content: the request's. Raises TryAgainLater where enough is under way already."""
        ...
