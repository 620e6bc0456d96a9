"""Whom a list's mail reaches, by whatever names, and whom it does not any more."""

import asyncio

from mailstack.model.instant import Instant
from mailstack.model.principal import Forward
from mailstack.services.inbound.recipients import Onward, Resolution
from mailstack.services.lists.members import AT_ONCE, Members
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.unsubscribed import MemoryUnsubscribed
from tests.support.fake_clock import FakeClock
from tests.support.mailing_lists import make_forwarding, make_list
from tests.support.memory_accounts import make_account, make_domain
from tests.support.running import running

KEEPS = make_account("keeps@example.com", forward=Forward(targets=("k@x.example",), keep=True))
GONE = make_account("gone@example.com", forward=Forward(targets=("g@x.example", "g@y.example"), keep=False))
FROM_GONE = Onward(address=GONE.login, targets=("g@x.example", "g@y.example"), owner=GONE)
TEAM = make_list("team@example.com", "both@example.com", "z@z.example")
DIRECTORY = MemoryAccounts(
    (KEEPS, GONE),
    aliases={"both@example.com": (KEEPS.login, GONE.login)},
    domains=(make_domain("example.com"),),
)


async def reached(*left: str) -> Resolution:
    unsubscribed = MemoryUnsubscribed()
    for member in left:
        await unsubscribed.add(TEAM.address, member, now=Instant(1))
    members = Members(forwarding=make_forwarding(DIRECTORY), unsubscribed=unsubscribed, clock=FakeClock())
    return (await members.of(TEAM)).to


async def test_members_that_forward_have_it_where_their_mail_goes() -> None:
    found = await reached()
    assert (found.accounts, found.external) == ((KEEPS,), ("z@z.example",))
    assert found.onward == (Onward(address=KEEPS.login, targets=("k@x.example",)), FROM_GONE)


async def test_who_left_has_it_nowhere_else_either() -> None:
    found = await reached(KEEPS.login, "g@x.example", "z@z.example")
    assert (found.accounts, found.external) == ((), ())
    assert [(each.address, each.targets) for each in found.onward] == [(GONE.login, ("g@y.example",))]
    assert (await reached(KEEPS.login, GONE.login)).onward == ()


async def test_a_list_of_many_leaves_others_their_turns() -> None:
    count = 3 * AT_ONCE
    accounts = [make_account(f"m{number}@example.com") for number in range(count)]
    directory = MemoryAccounts(accounts, domains=(make_domain("example.com"),))
    every = Members(forwarding=make_forwarding(directory), unsubscribed=MemoryUnsubscribed(), clock=FakeClock())
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)  # a turn for the others

    async with running(others()):
        found = await every.of(make_list("many@example.com", *(account.login for account in accounts)))
    assert len(found.to.accounts) == count
    assert turns >= 3
