"""One table of what can be done to others' mail, and with which rights: over IMAP, JMAP and Sieve. RFC 4314 §4,
RFC 8621 §2. What lacks a right is refused as what is not there.

After Cyrus CVE-2026-47081 to 47089 (LOCALDELETE, GENURLAUTH, LISTRIGHTS, ESEARCH as an oracle, fcc into others'
mailboxes) and Stalwart's leaks (ids in /changes, Thread/get).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailstack.model.ids import EmailId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import email_object_id, mailbox_object_id
from mailstack.model.rights import ALL_RIGHTS, NO_RIGHTS, Right, Rights, parse_rights, rights_text
from mailstack.services.mailbox.places import OTHER_USERS
from tests.support.fake_clock import FakeClock
from tests.support.filter_world import FilterWorld, mail_of
from tests.support.imap_server import DOMAIN
from tests.support.permission_world import (
    OWNER,
    PREFIX,
    STRANGER,
    VIEWER,
    Box,
    PermissionWorld,
    permission_world,
    without_names,
)
from tests.support.stores import mailbox_with, new_message

Act = Callable[[PermissionWorld, Box], Awaitable[bool]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PermissionWorld]:
    async with permission_world(tmp_path) as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """needs: the rights without which it cannot be done, and with which it can; of IMAP where they are others there,
    for it lets who may read look at a mailbox whose name they know."""

    name: str
    needs: str
    imap_needs: str | None = None
    imap: tuple[str, ...] = ()
    jmap: Act | None = None


async def _is_listed(world: PermissionWorld, box: Box) -> bool:
    got = await world.ask("Mailbox/get", ids=[box.mailbox])
    queried = await world.ask("Mailbox/query")
    assert (box.mailbox in queried["ids"]) is bool(got["list"])
    return bool(got["list"])


async def _is_counted(world: PermissionWorld, box: Box) -> bool:
    listed = (await world.ask("Mailbox/get", ids=[box.mailbox]))["list"]
    return bool(listed and listed[0]["totalEmails"] and listed[0]["myRights"]["mayReadItems"])


async def _is_got(world: PermissionWorld, box: Box) -> bool:
    got = await world.ask("Email/get", ids=[box.email], properties=["subject", "mailboxIds", "bodyStructure"])
    assert not got["list"] or got["list"][0]["mailboxIds"] == {box.mailbox: True}
    return bool(got["list"])


async def _is_found(world: PermissionWorld, box: Box) -> bool:
    found = [
        box.email in (await world.ask("Email/query", filter=given))["ids"]
        for given in (None, {"inMailbox": box.mailbox}, {"subject": f"word{int(box.name[3:])}"})
    ]
    assert len({*found}) == 1
    return found[0]


async def _has_thread(world: PermissionWorld, box: Box) -> bool:
    return bool((await world.ask("Thread/get", ids=[box.thread]))["list"])


async def _has_snippet(world: PermissionWorld, box: Box) -> bool:
    found = await world.ask("SearchSnippet/get", filter={"text": "body"}, emailIds=[box.email])
    return bool(found["list"])


async def _is_parsed(world: PermissionWorld, box: Box) -> bool:
    return bool((await world.ask("Email/parse", blobIds=[box.blob]))["parsed"])


async def _is_downloaded(world: PermissionWorld, box: Box) -> bool:
    statuses = [
        (
            await world.world.ask("GET", f"/jmap/download/{world.owner_id}/{each}/x", login=f"{VIEWER}@{DOMAIN}")
        ).status_code
        for each in (box.blob, box.part)
    ]
    assert statuses in ([200, 200], [404, 404])
    return statuses[0] == 200


async def _is_attached(world: PermissionWorld, box: Box) -> bool:
    """Another's blob in a message of one's own is as good as a download."""
    drafts = await _own(world)
    part = {"blobId": box.part, "type": "text/plain"}
    draft = {"mailboxIds": {world.open.mailbox: True}, "attachments": [part]}
    made = await world.ask("Email/set", create={"k": draft})
    own = await world.ask("Email/set", of=world.viewer_id, create={"k": {**draft, "mailboxIds": {drafts: True}}})
    assert own["notCreated"]["k"]["type"] == "blobNotFound"
    return bool(made["created"])


async def _is_copied(world: PermissionWorld, box: Box) -> bool:
    given = {"id": box.email, "mailboxIds": {await _own(world): True}}
    copied = await world.ask("Email/copy", of=world.viewer_id, fromAccountId=world.owner_id, create={"k": given})
    return bool(copied["created"])


async def _is_told_of(world: PermissionWorld, box: Box) -> bool:
    """Of a message that comes there, by all that tells of changes."""
    state, store = await world.state(), world.world.imap.store
    (new,) = await store.messages.append(world.owner_id, box.mailbox_id, [new_message(700)])
    email_id = email_object_id(world.owner_id, EmailId(new.message_id))
    emails = await world.ask("Email/changes", sinceState=state)
    threads = await world.ask("Thread/changes", sinceState=state)
    mailboxes = await world.ask("Mailbox/changes", sinceState=state)
    queried = await world.ask("Email/queryChanges", sinceQueryState=state, filter=None)
    told = [
        emails["created"] == [email_id],
        bool(threads["created"]),
        mailboxes["updated"] == [box.mailbox],
        [each["id"] for each in queried["added"]] == [email_id],
    ]
    nothing = [not emails["created"], not threads["created"], not mailboxes["updated"], not queried["added"]]
    assert all(told) or all(nothing)
    return all(told)


async def _own(world: PermissionWorld) -> str:
    drafts = await mailbox_with(world.world.imap.store, world.viewer_id, MailboxRole.DRAFTS)
    return mailbox_object_id(world.viewer_id, drafts)


def _updates(pointer: str) -> Act:
    async def act(world: PermissionWorld, box: Box) -> bool:
        return bool((await world.ask("Email/set", update={box.email: {pointer: True}}))["updated"])

    return act


async def _is_put_in(world: PermissionWorld, box: Box) -> bool:
    patch = {f"mailboxIds/{box.mailbox}": True}
    return bool((await world.ask("Email/set", update={world.open.email: patch}))["updated"])


async def _is_made(world: PermissionWorld, box: Box) -> bool:
    made = await world.ask("Email/set", create={"k": {"mailboxIds": {box.mailbox: True}, "subject": "x"}})
    given = {"blobId": world.open.blob, "mailboxIds": {box.mailbox: True}}
    imported = await world.ask("Email/import", emails={"k": given})
    assert bool(made["created"]) is bool(imported["created"])
    return bool(made["created"])


async def _is_taken_out(world: PermissionWorld, box: Box) -> bool:
    patch = {f"mailboxIds/{box.mailbox}": None, f"mailboxIds/{world.open.mailbox}": True}
    return bool((await world.ask("Email/set", update={box.email: patch}))["updated"])


async def _is_destroyed(world: PermissionWorld, box: Box) -> bool:
    return bool((await world.ask("Email/set", destroy=[box.email]))["destroyed"])


async def _has_child(world: PermissionWorld, box: Box) -> bool:
    made = await world.ask("Mailbox/set", create={"k": {"name": "below", "parentId": box.mailbox}})
    return bool(made["created"])


def _sets_mailbox(**patch: Any) -> Act:
    async def act(world: PermissionWorld, box: Box) -> bool:
        return bool((await world.ask("Mailbox/set", update={box.mailbox: patch}))["updated"])

    return act


async def _mailbox_goes(world: PermissionWorld, box: Box) -> bool:
    gone = await world.ask("Mailbox/set", destroy=[box.mailbox], onDestroyRemoveEmails=True)
    return bool(gone["destroyed"])


SELECT = 'SELECT "{path}"'


def _store(flag: str) -> tuple[str, ...]:
    return SELECT, f"STORE 1 +FLAGS ({flag})"


DEEDS = (
    Deed(name="know of it", needs="l", jmap=_is_listed, imap=('SUBSCRIBE "{path}"',)),
    Deed(name="subscribe", needs="l", jmap=_sets_mailbox(isSubscribed=True), imap=('SUBSCRIBE "{path}"',)),
    Deed(name="put it in an order", needs="l", jmap=_sets_mailbox(sortOrder=7)),
    Deed(name="count", needs="lr", imap_needs="r", jmap=_is_counted, imap=('STATUS "{path}" (MESSAGES)',)),
    Deed(name="read", needs="lr", imap_needs="r", jmap=_is_got, imap=(SELECT, "FETCH 1 BODY.PEEK[]")),
    Deed(name="search", needs="lr", imap_needs="r", jmap=_is_found, imap=(SELECT, "SEARCH ALL")),
    Deed(name="thread", needs="lr", imap_needs="r", jmap=_has_thread, imap=(SELECT, "THREAD REFERENCES UTF-8 ALL")),
    Deed(name="read a snippet", needs="lr", jmap=_has_snippet),
    Deed(name="parse", needs="lr", jmap=_is_parsed),
    Deed(name="download", needs="lr", jmap=_is_downloaded),
    Deed(name="attach", needs="lr", jmap=_is_attached),
    Deed(name="copy out", needs="lr", imap_needs="r", jmap=_is_copied, imap=(SELECT, "COPY 1 INBOX")),
    Deed(name="hear of changes", needs="lr", jmap=_is_told_of),
    Deed(name="mark as read", needs="lrs", imap_needs="rs", jmap=_updates("keywords/$seen"), imap=_store("\\Seen")),
    Deed(name="mark", needs="lrw", imap_needs="rw", jmap=_updates("keywords/$flagged"), imap=_store("\\Flagged")),
    Deed(name="put into it", needs="i", jmap=_is_put_in, imap=(f'SELECT "{PREFIX}/Open"', 'COPY 1 "{path}"')),
    Deed(name="make in it", needs="i", jmap=_is_made, imap=('APPEND "{path}" {{14+}}\r\nSubject: x\r\n\r\n',)),
    Deed(name="take out", needs="lrte", imap_needs="rte", jmap=_is_taken_out, imap=(SELECT, f'MOVE 1 "{PREFIX}/Open"')),
    Deed(name="destroy mail", needs="lrte", jmap=_is_destroyed),
    Deed(name="mark as deleted", needs="rt", imap=_store("\\Deleted")),
    Deed(name="expunge", needs="re", imap=(SELECT, "EXPUNGE")),
    Deed(name="make a mailbox below", needs="lk", imap_needs="k", jmap=_has_child, imap=('CREATE "{path}/below"',)),
    Deed(name="rename it", needs="lx", jmap=_sets_mailbox(name="Other name")),
    Deed(name="destroy it", needs="lx", imap_needs="x", jmap=_mailbox_goes, imap=('DELETE "{path}"',)),
    Deed(name="see its list", needs="a", imap=('GETACL "{path}"',)),
    Deed(name="ask what can be given", needs="a", imap=('LISTRIGHTS "{path}" u2',)),
    Deed(name="give rights", needs="a", imap=('SETACL "{path}" u2 lr',)),
    Deed(name="write for all", needs="lw", imap=('SETMETADATA "{path}" (/shared/x "1")',)),
)
SETS = (
    NO_RIGHTS,
    *(frozenset({right}) for right in Right),
    *(parse_rights("lr") | {right} for right in Right if right not in parse_rights("lr")),
    parse_rights("lrte"),
    *(ALL_RIGHTS - {right} for right in Right),
    ALL_RIGHTS,
)


@pytest.mark.parametrize("rights", SETS, ids=lambda rights: rights_text(rights) or "none")
async def test_with_these_rights_and_no_others(world: PermissionWorld, rights: Rights) -> None:
    wrong: list[str] = []
    for deed in DEEDS:
        needs = parse_rights(deed.needs)
        imap_needs = needs if deed.imap_needs is None else parse_rights(deed.imap_needs)
        if deed.jmap is not None and await deed.jmap(world, await world.box(rights)) is not (rights >= needs):
            wrong.append(f"JMAP: {deed.name}")
        if deed.imap:
            box = await world.box(rights)
            done = await world.does(*(command.format(path=box.path) for command in deed.imap))
            if done is not (rights >= imap_needs):
                wrong.append(f"IMAP: {deed.name}")
    assert not wrong


UNKNOWN_TO_IMAP = (
    'SELECT "{path}"',
    'EXAMINE "{path}"',
    'STATUS "{path}" (MESSAGES SIZE)',
    'LIST "" "{path}"',
    'LIST "" "{path}" RETURN (STATUS (MESSAGES) MYRIGHTS METADATA (/shared/x))',
    'LSUB "" "{path}"',
    'ESEARCH IN (mailboxes "{path}") ALL',
    'ESEARCH IN (subtree "{path}") SUBJECT word',
    'GETACL "{path}"',
    'MYRIGHTS "{path}"',
    'LISTRIGHTS "{path}" u2',
    'SETACL "{path}" u2 lr',
    'DELETEACL "{path}" u1',
    'GETQUOTAROOT "{path}"',
    'GETMETADATA "{path}" (/shared/x)',
    'SETMETADATA "{path}" (/private/x "1")',
    'SUBSCRIBE "{path}"',
    'UNSUBSCRIBE "{path}"',
    'APPEND "{path}" {{14+}}\r\nSubject: x\r\n\r\n',
    'CREATE "{path}"',
    'CREATE "{path}/below"',
    'RENAME "{path}" "{path}2"',
    'DELETE "{path}"',
    'LOCALDELETE "{path}"',
    'GENURLAUTH "imap://u1@mail.peer.test/{path}/;uid=1;urlauth=user+u1" INTERNAL',
)
UNKNOWN_TO_JMAP: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Mailbox/get", {"ids": ["{mailbox}"]}),
    ("Mailbox/query", {"filter": {"parentId": "{mailbox}"}}),
    ("Mailbox/set", {"update": {"{mailbox}": {"name": "x"}}}),
    ("Mailbox/set", {"update": {"{mailbox}": {"isSubscribed": True, "sortOrder": 3}}}),
    ("Mailbox/set", {"destroy": ["{mailbox}"], "onDestroyRemoveEmails": True}),
    ("Mailbox/set", {"create": {"k": {"name": "x", "parentId": "{mailbox}"}}}),
    ("Thread/get", {"ids": ["{thread}"]}),
    ("Email/get", {"ids": ["{email}"]}),
    ("Email/get", {"ids": ["{email}"], "properties": ["id", "mailboxIds", "size"]}),
    ("Email/query", {"filter": {"inMailbox": "{mailbox}"}, "calculateTotal": True}),
    ("Email/query", {"anchor": "{email}"}),
    ("Email/queryChanges", {"sinceQueryState": "STATE", "upToId": "{email}", "filter": {"inMailbox": "{mailbox}"}}),
    ("Email/set", {"update": {"{email}": {"keywords/$seen": True}}}),
    ("Email/set", {"update": {"{email}": {"mailboxIds": {"{mailbox}": True}}}}),
    ("Email/set", {"update": {"OPEN": {"mailboxIds/{mailbox}": True}}}),
    ("Email/set", {"update": {"OPEN": {"mailboxIds/{mailbox}": None}}}),
    ("Email/set", {"destroy": ["{email}"]}),
    ("Email/set", {"create": {"k": {"mailboxIds": {"{mailbox}": True}}}}),
    ("Email/set", {"create": {"k": {"mailboxIds": {"BOX": True}, "attachments": [{"blobId": "{blob}"}]}}}),
    ("Email/set", {"create": {"k": {"mailboxIds": {"BOX": True}, "attachments": [{"blobId": "{part}"}]}}}),
    ("Email/import", {"emails": {"k": {"blobId": "{blob}", "mailboxIds": {"BOX": True}}}}),
    ("Email/import", {"emails": {"k": {"blobId": "BLOB", "mailboxIds": {"{mailbox}": True}}}}),
    ("Email/copy", {"fromAccountId": "FROM", "create": {"k": {"id": "{email}", "mailboxIds": {"OWN": True}}}}),
    ("Email/parse", {"blobIds": ["{blob}", "{part}"]}),
    ("SearchSnippet/get", {"filter": {"text": "body"}, "emailIds": ["{email}"]}),
)


async def _words(world: PermissionWorld, box: Box) -> dict[str, str]:
    return {
        "{mailbox}": box.mailbox,
        "{email}": box.email,
        "{thread}": box.thread,
        "{blob}": box.blob,
        "{part}": box.part,
        "STATE": await world.state(),
        "OPEN": world.open.email,
        "BOX": world.open.mailbox,
        "BLOB": world.open.blob,
        "FROM": world.owner_id,
        "OWN": await _own(world),
    }


def _filled(given: Any, words: dict[str, str]) -> Any:
    match given:
        case str():
            for word, value in words.items():
                given = given.replace(word, value)
            return given
        case dict():
            return {_filled(key, words): _filled(value, words) for key, value in given.items()}
        case list():
            return [_filled(each, words) for each in given]
        case _:
            return given


@pytest.mark.parametrize("command", UNKNOWN_TO_IMAP)
async def test_imap_says_of_what_may_not_be_known_what_it_says_of_nothing(world: PermissionWorld, command: str) -> None:
    for rights in (NO_RIGHTS, parse_rights("p")):
        box = await world.box(rights)
        nothing = world.missing(box)
        told = [without_names(await world.imap(command.format(path=each.path)), each) for each in (box, nothing)]
        assert told[0] == told[1]
        assert await world.world.imap.store.mailboxes.find(world.owner_id, [box.name])


@pytest.mark.parametrize("method", UNKNOWN_TO_JMAP, ids=lambda method: f"{method[0]}")
async def test_jmap_says_of_what_may_not_be_known_what_it_says_of_nothing(
    world: PermissionWorld, method: tuple[str, dict[str, Any]]
) -> None:
    name, arguments = method
    for rights in (NO_RIGHTS, parse_rights("p")):
        box = await world.box(rights)
        told = []
        for each in (box, world.missing(box)):
            of = world.viewer_id if "fromAccountId" in arguments else None
            answer = await world.ask(name, of=of, **_filled(arguments, await _words(world, each)))
            told.append(without_names(answer, each))
        assert told[0] == told[1]
        assert await world.world.imap.store.emails.placed(world.owner_id, [box.message_id])


@pytest.mark.parametrize("method", UNKNOWN_TO_JMAP, ids=lambda method: f"{method[0]}")
async def test_an_account_that_shares_nothing_is_none(
    world: PermissionWorld, method: tuple[str, dict[str, Any]]
) -> None:
    name, arguments = method
    words = await _words(world, await world.box(ALL_RIGHTS))
    given = _filled(arguments, words)
    for of in (world.owner_id, "0123456789abcdef"):
        if "fromAccountId" in given:
            own = (await world.world.account(STRANGER)).account_id
            answer = await world.ask(name, STRANGER, of=own, **{**given, "fromAccountId": of})
            assert answer == {"type": "fromAccountNotFound"}
        else:
            assert await world.ask(name, STRANGER, of=of, **given) == {"type": "accountNotFound"}


async def test_how_much_an_account_holds_is_for_who_may_read_in_it(world: PermissionWorld) -> None:
    shared = await world.ask("Quota/get", ids=None)
    await world.share(world.open.mailbox_id, parse_rights("l"))
    hidden = await world.ask("Quota/get", ids=None)
    assert (shared["list"], hidden["list"]) == ([], [])
    assert hidden["state"] == (await world.ask("Quota/get", ids=["Q1"]))["state"]


async def test_no_right_lets_a_script_into_others_mailboxes(world: PermissionWorld) -> None:
    box, store = world.open, world.world.imap.store
    owner_before = await store.changes.mod_seq(world.owner_id)
    scripts = FilterWorld(store, FakeClock(store.clock()), store.queue, store.sieve_memory, store.mailboxes)
    viewer = f"{VIEWER}@{DOMAIN}"
    extensions = '["fileinto", "copy", "mailbox", "mailboxid", "mboxmetadata", "vacation", "fcc", "imap4flags"]'
    script = f"""require {extensions};
        fileinto :copy "{box.path}";
        fileinto :copy :mailboxid "{box.mailbox}" "{box.path}";
        vacation :fcc "{box.path}" "I am away.";
        if mailboxexists "{box.path}" {{ addflag "exists"; }}
        if mailboxidexists "{box.mailbox}" {{ addflag "idexists"; }}
        if metadataexists "{box.path}" "/shared/comment" {{ addflag "metadata"; }}
        if metadata "{box.path}" "/shared/comment" "secret" {{ addflag "secret"; }}
        keep;"""
    await store.annotations.change(
        world.owner_id, box.mailbox_id, [("/shared/comment", b"secret")], viewer=world.owner_id, limit=9
    )
    await scripts.use(script, of=viewer)
    await scripts.receive(mail_of(to=viewer), to=[viewer])
    placed = await scripts.placed(viewer)
    assert {flag for messages in placed.values() for _, flags in messages for flag in flags} <= {"\\Seen", "\\Recent"}
    assert not any(path.startswith(OTHER_USERS) for path in placed)
    # The annotation is all that became of the owner's account.
    assert await store.changes.mod_seq(world.owner_id) == owner_before + 1
    assert (await world.world.account(OWNER)).account_id == world.owner_id
