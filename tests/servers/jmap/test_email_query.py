"""Email/query, Email/queryChanges and SearchSnippet/get as a client asks them."""

from typing import Any

import pytest

from mailstack.formats.digest import digest_message
from mailstack.model.ids import EmailId, MailboxId
from mailstack.model.instant import MINUTE_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation, NewMessage
from mailstack.model.numset import NumSet
from mailstack.model.objectid import email_object_id, mailbox_object_id
from mailstack.model.rights import Grant, parse_rights
from mailstack.servers.jmap import email_query, email_query_changes, search_snippet_get
from mailstack.servers.jmap.method import Call
from mailstack.servers.jmap.session import session_facts
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.session import CORE
from tests.support.jmap_world import JmapWorld
from tests.support.stores import mailbox_with, new_message

SUBJECTS = ("alpha", "Re: alpha", "beta & gamma", "delta")


class Mails:
    """Four messages in the inbox, the first two in one thread; the last one in Sent."""

    def __init__(self, world: JmapWorld, call: Call, inbox: MailboxId, sent: MailboxId) -> None:
        self.world, self.call, self.inbox, self.sent = world, call, inbox, sent
        self.ids: list[str] = []

    @property
    def account_id(self) -> str:
        return self.call.login.account_id

    async def put(self, subject: str, mailbox_id: MailboxId) -> None:
        number = len(self.ids)
        raw = (
            f"Message-ID: <{number}@x.example>\r\nReferences: <{number // 2}@t.example>\r\nSubject: {subject}\r\n\r\n"
            f"the body of {subject}\r\n"
        ).encode()
        message = NewMessage(raw=raw, received_at=Instant(number * MINUTE_MS), digest=digest_message(raw))
        store, account_id = self.world.imap.store, self.call.login.account_id
        (appended,) = await store.messages.append(account_id, mailbox_id, [message])
        self.ids.append(email_object_id(account_id, EmailId(appended.message_id)))

    async def flag(self, uid: int) -> None:
        change = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({"\\Flagged"}), is_deleted=False)
        store = self.world.imap.store
        await store.messages.change_flags(self.call.login.account_id, self.inbox, NumSet(((uid, uid),)), change)

    async def query(self, **asked: Any) -> dict[str, Any]:
        return await email_query.METHOD.run(self.call, Arguments({"accountId": self.account_id, **asked}))

    async def changes(self, **asked: Any) -> dict[str, Any]:
        return await email_query_changes.METHOD.run(self.call, Arguments({"accountId": self.account_id, **asked}))

    async def snippets(self, **asked: Any) -> dict[str, Any]:
        return await search_snippet_get.METHOD.run(self.call, Arguments({"accountId": self.account_id, **asked}))


@pytest.fixture
async def mails(world: JmapWorld) -> Mails:
    call = await world.call()
    store, account_id = world.imap.store, call.login.account_id
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    sent = await mailbox_with(store, account_id, MailboxRole.SENT)
    mails = Mails(world, call, inbox, sent)
    for subject in SUBJECTS[:3]:
        await mails.put(subject, inbox)
    await mails.put(SUBJECTS[3], sent)
    return mails


async def test_everything_newest_first(mails: Mails) -> None:
    state = await mails.call.service.mail_of(mails.call.login).changes.mod_seq(mails.call.login.account_id)
    assert await mails.query(calculateTotal=True) == {
        "accountId": mails.account_id,
        "queryState": str(state),
        "canCalculateChanges": True,
        "position": 0,
        "ids": mails.ids[::-1],
        "total": 4,
    }


async def test_filters_sorts_and_windows(mails: Mails) -> None:
    first, second, third, fourth = mails.ids
    inbox = mailbox_object_id(mails.call.login.account_id, mails.inbox)
    ascending = [{"property": "receivedAt"}]

    async def ids(**asked: Any) -> Any:
        return (await mails.query(sort=ascending, **asked))["ids"]

    assert await ids(filter={"inMailbox": inbox}) == [first, second, third]
    assert await ids(filter={"inMailboxOtherThan": [inbox]}) == [fourth]
    assert await ids(filter={"subject": "ALPHA"}) == [first, second]
    assert await ids(filter={"operator": "NOT", "conditions": [{"text": "body alpha"}]}) == [third, fourth]
    assert await ids(filter={"inMailbox": inbox}, collapseThreads=True) == [first, third]
    assert await ids(position=1, limit=2) == [second, third]
    assert await ids(anchor=third, anchorOffset=-1) == [second, third, fourth]
    mails.call.created["k"] = inbox
    assert await ids(filter={"inMailboxOtherThan": ["#k"]}) == [fourth]
    assert await ids(filter={"inMailbox": "#k"}) == [first, second, third]
    with pytest.raises(MethodFault) as caught:
        await ids(anchor="M1")
    assert caught.value.type is MethodFaultType.ANCHOR_NOT_FOUND


async def test_changes_of_a_query(mails: Mails) -> None:
    first, *_ = mails.ids
    flagged = {"filter": {"hasKeyword": "$flagged"}}
    state = (await mails.query(**flagged))["queryState"]
    assert await mails.changes(sinceQueryState=state, **flagged) == {
        "accountId": mails.account_id,
        "oldQueryState": state,
        "newQueryState": state,
        "removed": [],
        "added": [],
    }
    await mails.flag(1)
    found = await mails.changes(sinceQueryState=state, calculateTotal=True, **flagged)
    assert (found["removed"], found["added"], found["total"]) == ([first], [{"id": first, "index": 0}], 1)
    assert found["newQueryState"] == (await mails.query(**flagged))["queryState"]


async def test_what_came_behind_the_last_that_is_known_is_left_out(mails: Mails) -> None:
    by_date = {"sort": [{"property": "receivedAt"}]}
    state = (await mails.query(**by_date))["queryState"]
    await mails.put("epsilon", mails.inbox)
    assert (await mails.changes(sinceQueryState=state, upToId=mails.ids[1], **by_date))["added"] == []
    found = await mails.changes(sinceQueryState=state, **by_date)
    assert found["added"] == [{"id": mails.ids[4], "index": 4}]
    assert found["removed"] == []


@pytest.mark.parametrize(
    ("asked", "type_"),
    [
        ({"sinceQueryState": "x"}, MethodFaultType.CANNOT_CALCULATE_CHANGES),
        ({"sinceQueryState": "999999"}, MethodFaultType.CANNOT_CALCULATE_CHANGES),
        ({"sinceQueryState": "9" * 40}, MethodFaultType.CANNOT_CALCULATE_CHANGES),
        ({}, MethodFaultType.INVALID_ARGUMENTS),
        ({"sinceQueryState": "1", "colour": 1}, MethodFaultType.INVALID_ARGUMENTS),
        ({"sinceQueryState": "1", "maxChanges": 1}, MethodFaultType.TOO_MANY_CHANGES),
    ],
)
async def test_changes_that_cannot_be_told(mails: Mails, asked: dict[str, Any], type_: MethodFaultType) -> None:
    with pytest.raises(MethodFault) as caught:
        await mails.changes(**asked)
    assert caught.value.type is type_


async def test_snippets(mails: Mails) -> None:
    third = mails.ids[2]
    other = email_object_id(mails.call.login.account_id, EmailId(99))
    assert await mails.snippets(filter={"text": "gamma"}, emailIds=[third, other, "x"]) == {
        "accountId": mails.account_id,
        "list": [
            {
                "emailId": third,
                "subject": "beta &amp; <mark>gamma</mark>",
                "preview": "the body of beta &amp; <mark>gamma</mark>",
            }
        ],
        "notFound": [other, "x"],
    }
    assert (await mails.snippets(filter=None, emailIds=[third]))["list"] == [
        {"emailId": third, "subject": None, "preview": None}
    ]


@pytest.mark.parametrize(
    ("asked", "type_"),
    [
        ({"filter": {}}, MethodFaultType.INVALID_ARGUMENTS),
        ({"emailIds": ["x"], "filter": {"colour": 1}}, MethodFaultType.UNSUPPORTED_FILTER),
        ({"emailIds": [f"M{number}" for number in range(5_000)]}, MethodFaultType.REQUEST_TOO_LARGE),
    ],
)
async def test_snippets_that_cannot_be_had(mails: Mails, asked: dict[str, Any], type_: MethodFaultType) -> None:
    with pytest.raises(MethodFault) as caught:
        await mails.snippets(**asked)
    assert caught.value.type is type_


async def test_of_anothers_mail_only_what_may_be_read(mails: Mails, world: JmapWorld) -> None:
    viewer = await world.account("u1")
    grant = Grant(identifier=viewer.login, account_id=viewer.account_id, rights=parse_rights("lr"))
    await world.imap.store.sharing.change(mails.call.login.account_id, mails.sent, grant)
    others = Mails(world, await world.call("u1"), mails.inbox, mails.sent)
    inbox = mailbox_object_id(mails.call.login.account_id, mails.inbox)
    account = {"accountId": mails.account_id}
    found = await others.query(**account)
    assert (found["ids"], found["canCalculateChanges"]) == ([mails.ids[3]], True)
    assert (await others.query(**account, filter={"inMailbox": inbox}))["ids"] == []
    assert (await others.query(**account, filter={"noneInThreadHaveKeyword": "$flagged"}))["ids"] == [mails.ids[3]]
    listed = await others.snippets(**account, filter={"text": "body"}, emailIds=mails.ids)
    assert [each["emailId"] for each in listed["list"]] == [mails.ids[3]]
    assert listed["notFound"] == mails.ids[:3]
    with pytest.raises(MethodFault) as caught:
        await others.changes(**account, sinceQueryState="1")
    assert caught.value.type is MethodFaultType.CANNOT_CALCULATE_CHANGES


async def test_changes_of_anothers_mail_as_long_as_rights_stay(mails: Mails, world: JmapWorld) -> None:
    store, viewer, owner_id = world.imap.store, await world.account("u1"), mails.call.login.account_id
    grant = Grant(identifier=viewer.login, account_id=viewer.account_id, rights=parse_rights("lr"))
    await store.sharing.change(owner_id, mails.sent, grant)
    others = Mails(world, await world.call("u1"), mails.inbox, mails.sent)
    account = {"accountId": mails.account_id}
    before = await others.query(**account)
    for mailbox_id in (mails.inbox, mails.sent):
        await store.messages.append(owner_id, mailbox_id, [new_message()])
    after = await others.query(**account)
    told = await others.changes(**account, sinceQueryState=before["queryState"], calculateTotal=True)
    (new,) = {*after["ids"]} - {*before["ids"]}
    # Nothing of the one that may not be read.
    assert (told["removed"], told["total"]) == ([], len(after["ids"]))
    assert told["added"] == [{"id": new, "index": after["ids"].index(new)}]
    await store.sharing.change(owner_id, mails.inbox, grant)
    with pytest.raises(MethodFault) as caught:
        await others.changes(**account, sinceQueryState=after["queryState"])
    assert caught.value.type is MethodFaultType.CANNOT_CALCULATE_CHANGES


async def test_what_collations_are_told_sort(mails: Mails) -> None:
    facts = await session_facts(mails.call.service, mails.call.login)
    told = facts.capabilities[CORE]["collationAlgorithms"]
    assert told
    for collation in told:
        sort = [{"property": "subject", "collation": collation}]
        assert (await mails.query(sort=sort))["ids"] == mails.ids
