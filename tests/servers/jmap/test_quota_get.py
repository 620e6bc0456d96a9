"""Quota/get and Quota/changes."""

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.servers.jmap.quota_changes import METHOD as CHANGES
from mailstack.servers.jmap.quota_get import METHOD as GET
from mailstack.servers.jmap.quotas import QuotaFacts, known_state, quota_state
from tests.support.jmap_calls import ask, fault_of, put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import account_resource, apply, mailbox_with, new_message, updated

_LIMIT = 1_000_000


async def limit(world: JmapWorld, limit_bytes: int) -> None:
    login = (await world.account()).login
    await apply(world.imap.store, updated(account_resource(login, quota_bytes=limit_bytes)))


async def test_without_a_limit_there_is_none(world: JmapWorld) -> None:
    answer = await ask(world, GET, ids=["other"])
    assert (answer["list"], answer["state"], answer["notFound"]) == ([], "none", ["other"])


async def test_what_is_used_of_what_there_may_be(world: JmapWorld) -> None:
    await limit(world, _LIMIT)
    await put(world, MailboxRole.INBOX, new_message(size_bytes=500))
    account_id = (await world.account()).account_id
    used = await world.imap.store.messages.used_bytes(account_id)
    (quota,) = (await ask(world, GET))["list"]
    assert quota == {
        "id": f"Q{account_id}",
        "resourceType": "octets",
        "used": used,
        "hardLimit": _LIMIT,
        "warnLimit": None,
        "softLimit": None,
        "scope": "account",
        "name": "Mail",
        "description": None,
        "types": ["Email"],
    }
    assert (await ask(world, GET, ids=[quota["id"]], properties=["used"]))["list"] == [
        {"id": quota["id"], "used": used}
    ]


async def test_changes(world: JmapWorld) -> None:
    it = [f"Q{(await world.account()).account_id}"]
    states, found = [(await ask(world, GET))["state"]], []

    async def follow() -> None:
        answer = await ask(world, CHANGES, sinceState=states[-1])
        states.append(answer["newState"])
        found.append([answer[name] for name in ("created", "updated", "updatedProperties", "destroyed")])

    await follow()
    await limit(world, _LIMIT)
    await follow()
    await put(world, MailboxRole.INBOX, new_message())
    await follow()
    await limit(world, 2 * _LIMIT)
    await follow()
    await follow()
    assert found == [
        [[], [], None, []],
        [it, [], None, []],
        [[], it, ["used"], []],
        [[], it, None, []],
        [[], [], None, []],
    ]
    assert (await ask(world, CHANGES, sinceState="1-2"))["updated"] == it


async def test_of_anothers_where_something_may_be_read(world: JmapWorld) -> None:
    await limit(world, _LIMIT)
    owner = await world.account("u0")
    sent = await mailbox_with(world.imap.store, owner.account_id, MailboxRole.SENT)
    await share(world, sent, "l")
    assert (await ask(world, GET, "u1", of="u0"))["list"] == []
    await share(world, sent, "lr")
    assert [each["hardLimit"] for each in (await ask(world, GET, "u1", of="u0"))["list"]] == [_LIMIT]


@pytest.mark.parametrize("facts", [None, QuotaFacts(used_bytes=0, limit_bytes=10**17)])
def test_states(facts: QuotaFacts | None) -> None:
    assert known_state(quota_state(facts)) == (facts,)


@pytest.mark.parametrize("state", ["", "x", "1", "1-", "-1", "1-2-3", "None"])
async def test_changes_since_what_never_was(world: JmapWorld, state: str) -> None:
    assert await fault_of(world, CHANGES, sinceState=state) == "cannotCalculateChanges"
