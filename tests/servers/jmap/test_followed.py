"""Whatever is done by IMAP and JMAP: /changes and /queryChanges make of what a client knew what there is now."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.model.rights import Grant, parse_rights
from tests.support.both_protocols import Worker
from tests.support.engines import size
from tests.support.imap_dialogue import imap_client
from tests.support.jmap_calls import put, share
from tests.support.jmap_follower import Asked, Follower
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message

BY_DATE = {"property": "receivedAt", "isAscending": True}
BY_SUBJECT = {"property": "subject"}
BY_FLAG = {"property": "hasKeyword", "keyword": "$flagged", "isAscending": False}
BY_THREAD = {"property": "someInThreadHaveKeyword", "keyword": "$seen"}
NOT_SEEN = {"operator": "NOT", "conditions": [{"hasKeyword": "$seen"}]}


def queries(inbox: str, trash: str) -> list[Asked]:
    emails: list[Mapping[str, Any]] = [
        {},
        {"filter": {"inMailbox": inbox}, "sort": [BY_DATE]},
        {"filter": {"inMailboxOtherThan": [trash]}, "sort": [BY_SUBJECT, BY_FLAG]},
        {"filter": NOT_SEEN, "sort": [BY_FLAG]},
        {"filter": {"subject": "alpha"}, "sort": [{"property": "size"}]},
        {"filter": {"noneInThreadHaveKeyword": "$flagged"}},
        {"filter": {"allInThreadHaveKeyword": "$seen", "inMailbox": inbox}, "sort": [BY_THREAD, BY_DATE]},
    ]
    mailboxes: list[Mapping[str, Any]] = [
        {},
        {"sort": [{"property": "name"}], "sortAsTree": True},
        {"filter": {"isSubscribed": True}, "sort": [{"property": "sortOrder"}], "filterAsTree": True},
        {"filter": {"hasAnyRole": False}, "sort": [{"property": "name"}], "sortAsTree": True, "filterAsTree": True},
        {"filter": {"parentId": None}},
    ]
    collapsed = [{**each, "collapseThreads": True} for each in emails]
    return [*(("Email", each) for each in (*emails, *collapsed)), *(("Mailbox", each) for each in mailboxes)]


async def followers(world: JmapWorld, dice: Random) -> list[Follower]:
    """Of u0's account: u0, and u1 with whom two mailboxes are shared. Of u1's mail u0 may read and copy some."""
    store, owner, other = world.imap.store, await world.account("u0"), await world.account("u1")
    await put(world, MailboxRole.ARCHIVE, new_message(1), new_message(2), who="u1")
    grant = Grant(identifier=owner.login, account_id=owner.account_id, rights=parse_rights("lr"))
    archive = await mailbox_with(store, other.account_id, MailboxRole.ARCHIVE)
    await store.sharing.change(other.account_id, archive, grant)
    for role in (MailboxRole.TRASH, MailboxRole.INBOX):
        await share(world, await mailbox_with(store, owner.account_id, role), "lr")
    roles = MailboxRole.INBOX, MailboxRole.TRASH
    asked = queries(
        *[mailbox_object_id(owner.account_id, await mailbox_with(store, owner.account_id, role)) for role in roles]
    )
    made = [
        Follower(world=world, dice=dice, who=who, account_id=owner.account_id, is_own=who == "u0")
        for who in ("u0", "u0", "u1")
    ]
    for follower in made:
        await follower.begin(asked)
    return made


async def work_and_follow(world: JmapWorld, seed: int, steps: int) -> None:
    dice = Random(seed)
    watching = await followers(world, dice)
    async with imap_client(world.imap.port) as imap:
        await imap.login()
        worker = Worker(world, imap, dice, who="u0", other="u1")
        for _ in range(steps):
            await worker.act()
            if dice.random() < 0.15:
                await dice.choice(watching).follow()
    for follower in watching:
        await follower.follow()


async def work_together(world: JmapWorld, seed: int, rounds: int) -> None:
    """One by IMAP and two by JMAP, while clients hear of it."""
    dice = Random(seed)
    _, *watching = await followers(world, dice)
    async with imap_client(world.imap.port) as imap:
        await imap.login()
        workers = [Worker(world, imap, dice, who="u0", other="u1", is_alone=False) for _ in range(3)]

        async def some(act: Callable[[], Awaitable[None]]) -> None:
            for _ in range(3):
                await act()

        work = [workers[0].act_by_imap, workers[1].act_on_emails, workers[2].act_on_emails]
        for _ in range(rounds):
            await asyncio.gather(*map(some, [*work, *(follower.hear_amid for follower in watching)]))
            for follower in watching:
                await follower.hear_amid()
                await follower.follow()


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_told_leads_to_what_there_is(world: JmapWorld, seed: int) -> None:
    await work_and_follow(world, seed, steps=60)


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_told_amid_changes_leads_there_too(world: JmapWorld, seed: int) -> None:
    await work_together(world, seed, rounds=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 102))
async def test_amid_changes_over_a_long_time(world: JmapWorld, seed: int) -> None:
    await work_together(world, seed, rounds=size(30, on_postgres=8))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 102))
async def test_over_a_long_time(world: JmapWorld, seed: int) -> None:
    await work_and_follow(world, seed, steps=size(600, on_postgres=300))
