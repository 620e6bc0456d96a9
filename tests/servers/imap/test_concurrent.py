"""Three clients at one mailbox, with whatever comes to their minds; each checks every word of the server's."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mailstack.model.principal import Account
from mailstack.services.mailbox import view
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import imap_client
from tests.support.imap_model import ModelClient
from tests.support.imap_server import RunningImap, running_imap

CLIENTS = 3
COMMANDS = 120
FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "\\Deleted", "todo")


class Player:
    """One client and its dice."""

    def __init__(self, model: ModelClient, seed: int) -> None:
        self._model = model
        self._dice = random.Random(seed)

    async def play(self) -> None:
        moves: tuple[Callable[[], Awaitable[object]], ...] = (
            self._append,
            self._store,
            self._store,
            self._store_by_uid,
            self._fetch,
            self._search,
            self._copy_or_move,
            self._model.idle,
            lambda: self._model.command("NOOP"),
            lambda: self._model.command(self._dice.choice(("EXPUNGE", "UID EXPUNGE 1:*", "CHECK"))),
        )
        for _ in range(COMMANDS):
            await self._dice.choice(moves)()

    async def _append(self) -> None:
        await self._model.append(message(self._dice.randrange(100)))

    async def _store(self) -> None:
        if numbers := self._some():
            sign, flag = self._dice.choice("+-"), self._dice.choice(FLAGS)
            await self._model.store(numbers, sign, flag, is_silent=self._dice.random() < 0.5)

    async def _store_by_uid(self) -> None:
        first = self._dice.randrange(1, 50)
        await self._model.command(f"UID STORE {first}:{first + 9} +FLAGS ({self._dice.choice(FLAGS)})")

    async def _fetch(self) -> None:
        if numbers := self._some():
            items = self._dice.choice(("FLAGS", "(UID FLAGS)", "(UID RFC822.SIZE)", "FAST"))
            await self._model.command(f"FETCH {','.join(map(str, numbers))} {items}")

    async def _search(self) -> None:
        await self._model.search(self._dice.choice(("UNSEEN", "DELETED", "ALL", "KEYWORD todo", "SUBJECT message")))

    async def _copy_or_move(self) -> None:
        if numbers := self._some():
            verb, target = self._dice.choice(("COPY", "MOVE")), self._dice.choice(("INBOX", "Archive"))
            await self._model.command(f"{verb} {numbers[0]} {target}")

    def _some(self) -> list[int]:
        count = len(self._model.uids)
        return sorted(self._dice.sample(range(1, count + 1), min(count, self._dice.randrange(1, 5))))


NOTIFY = "NOTIFY SET (selected-delayed (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (personal (MailboxName))"


@pytest.mark.parametrize(("max_changes", "greeting"), [(view.MAX_CHANGES, "NOOP"), (3, "NOOP"), (3, NOTIFY)])
async def test_what_three_clients_are_told_fits_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, max_changes: int, greeting: str
) -> None:
    """max_changes: with the change log, and by comparing whole mailboxes. NOTIFY: told also between commands."""
    monkeypatch.setattr(view, "MAX_CHANGES", max_changes)
    async with running_imap(tmp_path) as server, AsyncExitStack() as stack:
        models = [ModelClient(await stack.enter_async_context(imap_client(server.port))) for _ in range(CLIENTS)]
        for model in models:
            await model.client.login()
            await model.select()
            await model.command(greeting)
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for seed, model in enumerate(models):
                tasks.create_task(Player(model, seed).play())
        truth = await _truth(server)
        for model in models:
            await model.command("NOOP")
            believed = dict(zip(model.uids, model.flags, strict=True))
            await model.command("UID FETCH 1:* FLAGS")
            assert dict(zip(model.uids, model.flags, strict=True)) == truth
            for uid, flags in believed.items():
                assert uid is None or flags is None or flags == truth[uid]


async def _truth(server: RunningImap) -> dict[int | None, frozenset[str] | None]:
    account = await server.store.accounts.find("u0@peer.test")
    assert isinstance(account, Account)
    account_id = account.account_id
    (inbox,) = [one for one in await server.store.mailboxes.list(account_id) if one.name == "INBOX"]
    deleted = frozenset({"\\Deleted"})
    return {
        one.uid: one.keywords | deleted if one.is_deleted else one.keywords
        for one in await server.store.messages.placements(account_id, inbox.mailbox_id)
    }
