"""Sessions of two processes at one mailbox, with everybody else at work before and after each of their reads: whatever
comes between, no client is told an older state after a newer one, and each promise that it is given holds.

RFC 7162 §3.1: a MODSEQ only ever grows; §3.2.6: who knows a mailbox up to HIGHESTMODSEQ has missed nothing below it.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from mailstack.app.clock import system_clock
from mailstack.formats.digest import digest_message
from mailstack.model.changes import Change, ChangeKind
from mailstack.model.flags import FLAGGED, NO_KEYWORDS, SEEN
from mailstack.model.ids import MailboxId, MessageId, ModSeq, Uid
from mailstack.model.instant import Instant
from mailstack.model.message import FlagChange, FlagOperation, NewMessage, Placement
from mailstack.model.numset import STAR, NumSet, numset_of
from mailstack.model.query import HasKeyword
from mailstack.services.mailbox import view as module
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.expunge import expunge
from mailstack.services.mailbox.fetch import Trouble, fetch, wanted
from mailstack.services.mailbox.flags import change_flags, flag_change
from mailstack.services.mailbox.opening import open_mailbox
from mailstack.services.mailbox.search import search
from mailstack.services.mailbox.selected import SelectedMailbox
from mailstack.services.mailbox.view import ViewSource
from mailstack.services.mailbox.views import ViewCache
from tests.support.restless import make_restless

INBOX = MailboxId(1)
RAW = b"Subject: x\r\n\r\n"
STEPS = 60


class Others:
    """All who are at the mailbox without being watched."""

    def __init__(self, mail: AccountMail, dice: random.Random) -> None:
        self._mail = mail
        self._dice = dice
        self._last = 0

    async def act(self) -> None:
        mail, dice = self._mail, self._dice
        some = (
            numset_of(dice.randint(max(1, self._last - 8), self._last) for _ in range(3)) if self._last else NumSet(())
        )
        match dice.randrange(8):
            case 0:
                message = NewMessage(raw=RAW, received_at=Instant(0), digest=digest_message(RAW))
                new = await mail.messages.append(mail.account_id, INBOX, [message] * dice.randint(1, 5))
                self._last = max(self._last, *(one.uid for one in new))
            case 1 | 2:
                await mail.messages.expunge(mail.account_id, INBOX)
            case 3 | 4:
                mark = FlagChange(operation=FlagOperation.ADD, keywords=NO_KEYWORDS, is_deleted=True)
                await mail.messages.change_flags(mail.account_id, INBOX, some, mark)
            case _:
                operation = dice.choice((FlagOperation.ADD, FlagOperation.REMOVE))
                change = FlagChange(operation=operation, keywords=frozenset({SEEN}), is_deleted=False)
                await mail.messages.change_flags(mail.account_id, INBOX, some, change)


class Client:
    """Believes what its session tells, and checks it."""

    def __init__(self, mail: AccountMail, selected: SelectedMailbox, dice: random.Random) -> None:
        self.selected = selected
        self._mail = mail
        self._dice = dice
        self.uids: list[int | None] = [None] * selected.count
        self.known: dict[Uid, Placement] = {}
        self.gone: set[Uid] = set()
        self._informed_up_to = selected.mod_seq

    async def act(self) -> None:
        selected, dice = self.selected, self._dice
        selected.begin_command()
        some = [uid for uid in self.uids if uid is not None and dice.random() < 0.4]
        match dice.randrange(7):
            case 0:
                await self.fetch(all_of_it=True)
                await self.hear(with_expunges=False, may_lag=True)
            case 1:
                await self.fetch(all_of_it=False)
                await self.hear(with_expunges=False, may_lag=True)
            case 2 if some:
                operation = dice.choice((FlagOperation.ADD, FlagOperation.REMOVE))
                result = await change_flags(selected, numset_of(some), flag_change(operation, (FLAGGED,)))
                told = await selected.locate(placement.uid for placement in result.changed)
                for number, placement in zip(told.numbers, result.changed, strict=True):
                    self.learn(number, placement)
                await self.hear(with_expunges=False)
            case 3:
                found = await search(selected, HasKeyword(SEEN))
                pairs = zip(found.numbers, found.uids, strict=True)
                assert all(self.uids[number - 1] in (None, uid) for number, uid in pairs)
                await self.hear(with_expunges=False, may_lag=True)
            case 4:
                await expunge(selected)
                await self.hear(with_expunges=True)
            case 5:
                await self.come_back()
            case _:
                await self.hear(with_expunges=True)

    async def come_back(self) -> None:
        """RFC 7162 §3.2.5: with what it knew, it is told the rest."""
        known_up_to = self._informed_up_to
        selected = self.selected = (await open_mailbox(self._mail, "INBOX", is_read_only=False)).view
        self.uids, self._informed_up_to = [None] * selected.count, selected.mod_seq
        vanished = await selected.vanished_since(known_up_to, None)
        self.gone.update(uid for uid in self.known if uid in vanished)
        self.known = {uid: placement for uid, placement in self.known.items() if uid not in vanished}
        placed = await selected.table(await selected.changed_since(known_up_to, None))
        for number, placement in zip(placed.numbers, placed.placements(0, len(placed)), strict=True):
            self.learn(number, placement)
        left = await selected.locate(sorted(self.known))
        assert left.uids == sorted(self.known)
        for number, uid in zip(left.numbers, left.uids, strict=True):
            self.uids[number - 1] = uid
        await self.hear(with_expunges=True, may_lag=True)

    async def fetch(self, *, all_of_it: bool) -> None:
        first = 1 if all_of_it or not self.uids else self._dice.randint(1, len(self.uids))
        chosen = await self.selected.choose(NumSet(((first, STAR),)), is_uid=False)
        async for batch in fetch(self.selected, chosen, wanted(wants_flags=True), Trouble()):
            for number, uid, at, mod_seq in zip(
                batch.numbers, batch.uids, batch.flag_numbers, batch.mod_seqs, strict=True
            ):
                flags = batch.flag_sets[at]
                placement = Placement(Uid(uid), MessageId(0), ModSeq(mod_seq), flags.is_deleted, flags.keywords_text)
                self.learn(number, placement)

    async def hear(self, *, with_expunges: bool, may_lag: bool = False) -> None:
        updates = await self.selected.updates(with_expunges=with_expunges, may_lag=may_lag)
        assert with_expunges or not updates.expunged
        for number in updates.expunged:
            uid = self.uids.pop(number - 1)
            assert uid is None or uid in updates.expunged_uids
        for uid in updates.expunged_uids:
            self.gone.add(Uid(uid))
            self.known.pop(Uid(uid), None)
        if updates.exists is not None:
            assert updates.exists > len(self.uids)
            self.uids += [None] * (updates.exists - len(self.uids))
        for number, placement in zip(
            updates.flags.numbers, updates.flags.placements(0, len(updates.flags)), strict=True
        ):
            self.learn(number, placement)
        assert self.selected.mod_seq >= self._informed_up_to
        assert self.selected.count == len(self.uids)
        self._informed_up_to = self.selected.mod_seq

    def learn(self, number: int, placement: Placement) -> None:
        uid = placement.uid
        assert uid not in self.gone
        assert self.uids[number - 1] in (None, uid)
        self.uids[number - 1] = uid
        before = self.known.get(uid)
        if before is not None:
            assert placement.mod_seq >= before.mod_seq, f"MODSEQ of {uid} went from {before.mod_seq}: {placement}"
            if placement.mod_seq == before.mod_seq:
                assert placement.keywords_text == before.keywords_text
        self.known[uid] = placement

    def check_promise(self, log: Sequence[Change]) -> None:
        """Of what it knows, all that happened up to where it was said to be informed; but flags of what is to go need
        not be told any more."""
        gone = {row.uid for row in log if row.kind is ChangeKind.DESTROYED}
        for row in log:
            if row.uid not in self.known or row.mod_seq > self._informed_up_to:
                continue
            assert row.kind is not ChangeKind.DESTROYED
            assert row.uid in gone or self.known[row.uid].mod_seq >= row.mod_seq, f"{row} was not told"


@pytest.mark.parametrize("seed", range(8))
async def test_nobody_is_told_the_past_after_the_present(
    mail: AccountMail, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    monkeypatch.setattr(module, "MAX_CHANGES", dice.choice((4, 20, 1_000)))
    monkeypatch.setattr(module, "MAX_KEPT_CHANGES", dice.choice((3, 500)))
    real = mail.changes.since
    others = Others(mail, dice)

    async def meanwhile() -> None:
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)  # other sessions go on
        if dice.random() < 0.3:
            await others.act()

    make_restless(mail, meanwhile, monkeypatch)
    source = ViewSource(mailboxes=mail.mailboxes, messages=mail.messages, changes=mail.changes)
    processes = [replace(mail, views=ViewCache(source, clock=system_clock)) for _ in range(2)]
    for _ in range(5):
        await others.act()

    async def play(mail: AccountMail) -> Client:
        client = Client(mail, (await open_mailbox(mail, "INBOX", is_read_only=False)).view, dice)
        for _ in range(STEPS):
            await client.act()
            if dice.random() < 0.05:
                mail.views._kept.clear()
        return client

    clients = await asyncio.gather(*(play(process) for process in processes * 3))
    monkeypatch.undo()
    log = await real(mail.account_id, ModSeq(1))
    there = {one.uid: one for one in await mail.messages.placements(mail.account_id, INBOX)}
    for client in clients:
        client.check_promise(log)
        client.selected.begin_command()
        await client.hear(with_expunges=True)
        await client.fetch(all_of_it=False)
        client.check_promise(log)
        assert {uid: there[uid].mod_seq for uid in client.known} == {
            uid: one.mod_seq for uid, one in client.known.items()
        }
        await client.fetch(all_of_it=True)
        assert client.uids == list(there)
