"""Commands on the spam models of one storage, beside a server or without one."""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailstack.app.mail_files import Skip, mails_in
from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import RawMessage
from mailstack.model.principal import Account
from mailstack.ports.spam_tables import SpamTables
from mailstack.ports.store import Store
from mailstack.services.spam.models import LearnedModels
from mailstack.services.spam.school import Example, Grade, example_of, teach
from mailstack.services.spam.sender import sender_in
from mailstack.services.spam.shared import whole
from mailstack.services.spam.turn import LearningTurn
from mailstack.spam.judge import Models
from mailstack.spam.model import ACCOUNT_BITS, SHARED_BITS, Model, empty

OWNER_BYTES = 8
MOST_WAITING = 1_000
"""More lessons that wait are not counted."""
BUSY = "the server learns just now, or another command does: try again in a moment"

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Mail of one kind, in files and folders."""

    paths: Sequence[Path]
    is_spam: bool


def examples_in(lots: Sequence[Lot], hostname: str, *, skip: Skip, tell: Callable[[int], None]) -> list[Example]:
    """What lies in a folder that is named itself is of that kind, and not of the kind of those that it lies in. tell:
    hears how many there are by now. Raises OSError."""
    named = frozenset(path.resolve() for lot in lots for path in lot.paths)
    found: list[Example] = []
    for lot in lots:
        for path in lot.paths:
            for raw in mails_in(path, skip, without=named):
                found.append(example_of(raw, sender_in(raw, hostname), is_spam=lot.is_spam))
                tell(len(found))
    return found


async def train(
    store: Store, examples: Sequence[Example], account: Account | None, *, progress: Callable[[int, int], None]
) -> Grade:
    """account: None for the shared model. Raises TryAgainLater where the models are not ours to write to."""
    async with _turn(store) as turn:
        shared, number = await whole(store.spam_tables)
        own = None if account is None else await own_model(store.spam_tables, account.account_id)
        if account is not None and own is None:
            own = Model(empty(ACCOUNT_BITS))

        async def after_some(given: int, of: int) -> None:
            progress(given, of)
            await turn.keep()

        grade = await teach(examples, Models(shared=shared, account=own), after_some=after_some)
        if account is not None and own is not None:
            await store.spam_tables.replace_account(account.account_id, own.octets, lease=turn.lease)
        else:
            await store.spam_tables.replace_shared(shared.octets, after=number)
    return grade


async def forget(store: Store, account: Account | None) -> None:
    """Likewise. The shared model begins anew with no account's."""
    async with _turn(store):
        tables = store.spam_tables
        if account is not None:
            await tables.forget_account(account.account_id)
        else:
            nothing, number = bytes(empty(SHARED_BITS)), await tables.shared_number()
            await tables.replace_shared(nothing, after=number, is_anew=True)


async def models_of(store: Store, account: Account | None) -> Models:
    """As they lie in the storage."""
    shared, _ = await whole(store.spam_tables)
    own = None if account is None else await own_model(store.spam_tables, account.account_id)
    return Models(shared=shared, account=own)


async def learned_in(store: Store) -> LearnedModels:
    """Likewise, of whichever account is asked for. Raises DomainError."""
    shared, _ = await whole(store.spam_tables)
    models = LearnedModels(store.spam_tables, lambda: shared)
    await models.catch_up()
    return models


async def own_model(tables: SpamTables, account_id: AccountId) -> Model | None:
    """Writable. None where it was taught nothing, or what it was means nothing to this version."""
    try:
        table = await tables.of_account(account_id)
        return None if table is None else Model(bytearray(table))
    except Damaged:
        return None


async def stats(store: Store) -> Facts:
    tables = store.spam_tables
    shared, _ = await whole(tables)
    accounts = []
    for account_id in await tables.changed_after(0):
        own, account = await own_model(tables, account_id), await store.accounts.account(account_id)
        if own is not None and account is not None:
            accounts.append({"login": account.login, **_counts(own)})
    return {
        "shared": {**_counts(shared), "believed": round(shared.belief, 3), "updates": await tables.log_length()},
        "waiting": len(await store.spam_lessons.open(limit=MOST_WAITING)),
        "accounts": sorted(accounts, key=lambda facts: facts["login"]),
    }


def _counts(model: Model) -> Facts:
    return {"ham": model.ham, "spam": model.spam}


@asynccontextmanager
async def _turn(store: Store) -> AsyncIterator[LearningTurn]:
    turn = LearningTurn(store.locks, owner=secrets.token_hex(OWNER_BYTES), clock=store.clock)
    if not await turn.take():
        raise TryAgainLater(BUSY)
    try:
        yield turn
    finally:
        await turn.give_back()


async def recent_mail(store: Store, account: Account, *, most: int) -> list[RawMessage]:
    """The newest of its inbox and of its Junk."""
    found: list[RawMessage] = []
    for mailbox in await store.mailboxes.list(account.account_id):
        if mailbox.role in (MailboxRole.INBOX, MailboxRole.JUNK):
            placements = await store.messages.placements(account.account_id, mailbox.mailbox_id)
            for placement in placements[-most:]:
                found.append(await store.messages.read(account.account_id, placement.message_id))
    return found
