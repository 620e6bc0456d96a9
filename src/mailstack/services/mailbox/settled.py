"""Answers that are of one state of an account, though it changes while they are made."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from mailstack.model.ids import ModSeq
from mailstack.services.mailbox.account_mail import AccountMail

Answer = TypeVar("Answer")

_TRIES = 3


async def settled(mail: AccountMail, make: Callable[[ModSeq], Awaitable[Answer]]) -> tuple[Answer, ModSeq | None]:
    """What `make` gives, which is told the state that there is, and the state that it is of; None where something
    happened each time that it was made."""
    before = await mail.changes.mod_seq(mail.account_id)
    for _ in range(_TRIES):
        answer = await make(before)
        after = await mail.changes.mod_seq(mail.account_id)
        if after == before:
            return answer, after
        before = after
    return answer, None
