"""Answers that are of one state of an account, though it changes while they are made."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import ModSeq
from mailstack.services.mailbox.account_mail import AccountMail

Answer = TypeVar("Answer")

_TRIES = 3


async def settled(mail: AccountMail, make: Callable[[ModSeq], Awaitable[Answer]]) -> tuple[Answer, ModSeq | None]:
    """What `make` gives, which is told the state that there is, and the state that it is of; None where something
    happened each time that it was made. What it finds to be gone is looked at anew. Raises Conflict where it never came
    to an end."""
    before, answers = await mail.changes.mod_seq(mail.account_id), list[Answer]()
    for _ in range(_TRIES):
        try:
            answers.append(await make(before))
        except NotFound:
            if await mail.changes.mod_seq(mail.account_id) == before:
                raise
        after = await mail.changes.mod_seq(mail.account_id)
        if after == before:
            return answers[-1], after
        before = after
    if not answers:
        raise Conflict("what was looked at was gone each time")
    return answers[-1], None
