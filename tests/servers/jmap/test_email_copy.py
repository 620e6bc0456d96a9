"""Email/copy between one's own account and one that is shared."""

from typing import Any

import pytest

from mailstack.model.ids import EmailId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import email_object_id, mailbox_object_id
from mailstack.servers.jmap.dispatch import responses_to
from mailstack.wire.jmap.request import Invocation
from mailstack.wire.jmap.session import MAIL
from tests.support.jmap_calls import put, share
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message


class Copying:
    """u0 shares the inbox with u1, who copies from there."""

    def __init__(self, world: JmapWorld, source: str, own: str, email_id: str, inbox: str) -> None:
        self.world, self.source, self.own, self.email_id, self.inbox = world, source, own, email_id, inbox

    async def ask(self, method: str, **arguments: Any) -> list[tuple[str, Any]]:
        call = await self.world.call("u1", using=frozenset({MAIL}))
        responses = await responses_to([Invocation(name=method, arguments=arguments, call_id="c")], call)
        assert {call_id for _, _, call_id in responses} == {"c"}
        return [(name, found) for name, found, _ in responses]

    async def copy(self, *, given: dict[str, Any] | None = None, **more: Any) -> list[tuple[str, Any]]:
        create = {"k": {"id": self.email_id, "mailboxIds": {self.inbox: True}, **(given or {})}}
        asked = {"fromAccountId": self.source, "accountId": self.own, "create": create, **more}
        return await self.ask("Email/copy", **asked)

    async def emails(self, account_id: str, email_id: str) -> Any:
        wanted = ["keywords", "mailboxIds", "receivedAt"]
        ((_, found),) = await self.ask("Email/get", accountId=account_id, ids=[email_id], properties=wanted)
        return found["list"]


@pytest.fixture
async def copying(world: JmapWorld) -> Copying:
    source, own = (await world.account("u0")).account_id, (await world.account("u1")).account_id
    (message_id,) = await put(world, MailboxRole.INBOX, new_message(1, keywords=frozenset({"\\Flagged"})))
    await share(world, await mailbox_with(world.imap.store, source, MailboxRole.INBOX), "lrswite")
    inbox = mailbox_object_id(own, await mailbox_with(world.imap.store, own, MailboxRole.INBOX))
    return Copying(world, source, own, email_object_id(source, EmailId(message_id)), inbox)


async def test_a_copy_has_what_the_original_has(copying: Copying) -> None:
    ((name, found),) = await copying.copy()
    assert (name, found["fromAccountId"], found["accountId"]) == ("Email/copy", copying.source, copying.own)
    assert (found["notCreated"], found["oldState"] != found["newState"]) == (None, True)
    made = found["created"]["k"]
    assert set(made) == {"id", "blobId", "threadId", "size"}
    (original,) = await copying.emails(copying.source, copying.email_id)
    (copied,) = await copying.emails(copying.own, made["id"])
    assert copied == {**original, "id": made["id"], "mailboxIds": {copying.inbox: True}}
    assert copied["keywords"] == {"$flagged": True}


async def test_or_what_is_said(copying: Copying) -> None:
    given = {"keywords": {"$seen": True}, "receivedAt": "2020-01-02T03:04:05Z"}
    ((_, found),) = await copying.copy(given=given)
    (copied,) = await copying.emails(copying.own, found["created"]["k"]["id"])
    assert {name: copied[name] for name in given} == given


async def test_originals_are_destroyed_by_a_call_of_its_own(copying: Copying) -> None:
    copied, destroyed = await copying.copy(onSuccessDestroyOriginal=True)
    assert (copied[0], destroyed[0]) == ("Email/copy", "Email/set")
    assert (destroyed[1]["accountId"], destroyed[1]["destroyed"]) == (copying.source, [copying.email_id])
    assert await copying.emails(copying.source, copying.email_id) == []


async def test_in_another_state_originals_stay(copying: Copying) -> None:
    _, destroyed = await copying.copy(onSuccessDestroyOriginal=True, destroyFromIfInState="x")
    assert destroyed == ("error", {"type": "stateMismatch"})
    assert len(await copying.emails(copying.source, copying.email_id)) == 1


async def test_what_was_not_copied_stays(copying: Copying) -> None:
    ((_, found),) = await copying.copy(given={"mailboxIds": {}}, onSuccessDestroyOriginal=True)
    assert found["notCreated"]["k"]["properties"] == ["mailboxIds"]
    assert len(await copying.emails(copying.source, copying.email_id)) == 1


@pytest.mark.parametrize(
    ("given", "type_"),
    [
        ({"id": "M1"}, "notFound"),
        ({"id": 1}, "invalidProperties"),
        ({"subject": "x"}, "invalidProperties"),
        ({"mailboxIds": {"F1": True}}, "invalidProperties"),
    ],
)
async def test_not_copied(copying: Copying, given: dict[str, Any], type_: str) -> None:
    ((_, found),) = await copying.copy(given=given)
    assert (found["created"], found["notCreated"]["k"]["type"]) == (None, type_)


@pytest.mark.parametrize(
    ("arguments", "type_"),
    [
        ({"fromAccountId": "x"}, "fromAccountNotFound"),
        ({"accountId": "x"}, "accountNotFound"),
        ({"create": None}, "invalidArguments"),
        ({"create": {f"k{at}": {} for at in range(1_001)}}, "requestTooLarge"),
        ({"ifInState": "x"}, "stateMismatch"),
        ({"ifFromInState": "x"}, "stateMismatch"),
        ({"colour": 1}, "invalidArguments"),
    ],
)
async def test_refused(copying: Copying, arguments: dict[str, Any], type_: str) -> None:
    ((name, found),) = await copying.copy(**arguments)
    assert (name, found["type"]) == ("error", type_)


async def test_within_an_account_there_is_nothing_to_copy(copying: Copying) -> None:
    ((_, found),) = await copying.copy(fromAccountId=copying.own)
    assert found["type"] == "invalidArguments"
