"""What is found while the account changes is told of the state that it is of, or of none."""

import random

import pytest

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import MessageId, ModSeq
from mailstack.model.query import Everything
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.emails_found import find_emails
from mailstack.services.mailbox.found_changes import found_changes
from mailstack.services.mailbox.settled import settled
from tests.services.mailbox.test_emails_found import Account, an_account
from tests.support.restless import make_restless


async def test_a_query_is_of_one_state(mail: AccountMail) -> None:
    highest = await mail.changes.mod_seq(mail.account_id)
    seen: list[ModSeq] = []

    async def make(now: ModSeq) -> int:
        seen.append(now)
        if len(seen) == 1:
            await mail.mailboxes.create(mail.account_id, parent_id=None, name="Meanwhile")
        return len(seen)

    assert await settled(mail, make) == (2, highest + 1)
    assert seen == [highest, highest + 1]


async def test_of_what_changes_all_the_time_there_is_no_state(mail: AccountMail) -> None:
    made = 0

    async def make(_: ModSeq) -> int:
        nonlocal made
        made += 1
        await mail.mailboxes.create(mail.account_id, parent_id=None, name=f"Meanwhile {made}")
        return made

    assert await settled(mail, make) == (3, None)


class Client:
    """Keeps the list of one query, while others are at work whenever something is read for it."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.asked = account.asked()
        self.ids: list[MessageId] = []
        self.state: ModSeq | None = None

    async def follow(self) -> bool:
        """Whether changes were told."""
        mail = self.account.mail
        if self.state is not None:
            try:
                changes = await found_changes(mail, self.asked, self.state)
            except Conflict:
                self.state = None
                return False
            gone = {*changes.removed}
            self.ids = [one for one in self.ids if one not in gone]
            for at, one in changes.added:
                assert one not in self.ids, self.asked
                self.ids.insert(at, one)
            self.state = changes.mod_seq
            return True
        found, self.state = await settled(mail, lambda _: find_emails(mail, self.asked))
        self.ids = [*found]
        return False


@pytest.mark.parametrize("seed", range(3))
async def test_lists_are_kept_right_amid_changes(mail: AccountMail, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    account, dice = await an_account(mail, 200 + seed), random.Random(seed)
    is_at_work = False

    async def meanwhile() -> None:
        nonlocal is_at_work
        if not is_at_work and dice.random() < 0.03:
            is_at_work = True
            await account.step()
            is_at_work = False

    make_restless(mail, meanwhile, monkeypatch)
    told = 0
    for _ in range(12):
        client = Client(account)
        for _ in range(6):
            told += await client.follow()
        is_at_work = True
        if client.state is not None:
            await client.follow()
            assert client.ids == await account.expected(client.asked), client.asked
        is_at_work = False
    assert told > 20


async def test_the_state_of_a_quiet_account_is_its_own(mail: AccountMail) -> None:
    account = await an_account(mail, 8)
    client = Client(account)
    client.asked = type(client.asked)(filter=Everything())
    await client.follow()
    assert client.state == await mail.changes.mod_seq(mail.account_id)


async def test_what_goes_meanwhile_is_looked_at_anew(mail: AccountMail) -> None:
    made = 0

    async def make(_: ModSeq) -> int:
        nonlocal made
        made += 1
        if made <= wrong:
            await mail.mailboxes.create(mail.account_id, parent_id=None, name=f"{wrong} {made}")
            raise NotFound("no such mailbox")
        return made

    wrong = 2
    assert await settled(mail, make) == (3, await mail.changes.mod_seq(mail.account_id))
    made, wrong = 0, 3
    with pytest.raises(Conflict):
        await settled(mail, make)


async def test_what_is_not_there_at_all_is_not_looked_for_again(mail: AccountMail) -> None:
    async def make(_: ModSeq) -> int:
        raise NotFound("no such mailbox")

    with pytest.raises(NotFound):
        await settled(mail, make)
