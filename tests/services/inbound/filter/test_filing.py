"""Where mail goes that scripts file. RFC 5228 §2.10, §4; RFC 5232; RFC 5490; RFC 8579; RFC 9042."""

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.model.objectid import mailbox_object_id
from mailstack.services.inbound.mail import Accept
from tests.support.filter_world import ALICE, BOB, SMALL, SMALL_QUOTA, FilterWorld, mail_of


async def test_without_a_script_mail_goes_into_the_inbox(world: FilterWorld) -> None:
    assert isinstance(await world.receive(mail_of()), Accept)
    assert await world.where() == {"INBOX": 1}


@pytest.mark.parametrize(
    ("script", "places"),
    [
        ('require "fileinto"; fileinto "Archive";', {"Archive": 1}),
        ('require "fileinto"; fileinto "archive";', {"INBOX": 1}),
        ('require "fileinto"; fileinto "inbox";', {"INBOX": 1}),
        ('require ["fileinto", "copy"]; fileinto :copy "Archive";', {"INBOX": 1, "Archive": 1}),
        ('require "fileinto"; fileinto "Archive"; fileinto "Archive"; keep;', {"INBOX": 1, "Archive": 1}),
        ('require "fileinto"; fileinto "No such";', {"INBOX": 1}),
        ('require "fileinto"; fileinto "No such"; fileinto "Nor such";', {"INBOX": 1}),
        ('require "fileinto"; fileinto "bad*name";', {"INBOX": 1}),
        ('require ["fileinto", "mailbox"]; fileinto :create "Lists/Team";', {"Lists/Team": 1}),
        ('require ["fileinto", "mailbox"]; fileinto :create "bad%name";', {"INBOX": 1}),
        ('require ["fileinto", "special-use"]; fileinto :specialuse "\\\\Junk" "Elsewhere";', {"Junk": 1}),
        ('require ["fileinto", "special-use"]; fileinto :specialuse "\\\\Flagged" "Archive";', {"Archive": 1}),
        ("discard;", {}),
        ("discard; keep;", {"INBOX": 1}),
        ("stop; discard;", {"INBOX": 1}),
        ('if header :contains "subject" "hello" { discard; }', {}),
    ],
)
async def test_actions(world: FilterWorld, script: str, places: dict[str, int]) -> None:
    await world.use(script)
    assert isinstance(await world.receive(mail_of()), Accept)
    assert await world.where() == places
    assert await world.sent_to() == []


async def test_a_mailbox_that_is_made_is_subscribed_and_made_once(world: FilterWorld) -> None:
    await world.use('require ["fileinto", "mailbox"]; fileinto :create "Lists/Team";')
    for number in range(3):
        await world.receive(mail_of(f"mail {number}"))
    assert await world.where() == {"Lists/Team": 3}
    boxes = {box.name: box for box in await world.store.mailboxes.list((await world.account()).account_id)}
    assert boxes["Team"].is_subscribed
    assert boxes["Lists"].is_subscribed


async def test_a_mailbox_that_is_made_for_a_use_gets_it_if_no_other_has_it(world: FilterWorld) -> None:
    account_id = (await world.account()).account_id
    junk = next(box for box in await world.store.mailboxes.list(account_id) if box.role is MailboxRole.JUNK)
    await world.store.mailboxes.assign_role(account_id, junk.mailbox_id, None)
    extensions = '["fileinto", "mailbox", "special-use"]'
    await world.use(f'require {extensions}; fileinto :specialuse "\\\\Junk" :create "Unwanted";')
    await world.receive(mail_of())
    made = next(box for box in await world.store.mailboxes.list(account_id) if box.name == "Unwanted")
    assert made.role is MailboxRole.JUNK


async def test_a_mailbox_is_found_by_its_id_wherever_it_is_by_now(world: FilterWorld) -> None:
    account_id = (await world.account()).account_id
    made = await world.store.mailboxes.create(account_id, parent_id=None, name="Old")
    object_id = mailbox_object_id(account_id, made.mailbox_id)
    await world.use(f'require ["fileinto", "mailboxid"]; fileinto :mailboxid "{object_id}" "Old";')
    await world.store.mailboxes.rename(account_id, made.mailbox_id, parent_id=None, name="New")
    await world.receive(mail_of())
    assert await world.where() == {"New": 1}


async def test_flags_are_set_and_what_is_no_flag_is_left_out(world: FilterWorld) -> None:
    await world.use(
        'require ["fileinto", "imap4flags", "copy"];'
        'fileinto :copy :flags ["\\\\seen", "$Work", "\\\\Bogus"] "Archive";'
        'setflag ["\\\\Flagged", "\\\\Deleted"]; keep;'
    )
    await world.receive(mail_of())
    placed = await world.placed()
    assert placed["Archive"][0][1] == {"\\Seen", "$Work"}
    assert placed["INBOX"][0][1] == {"\\Flagged"}


async def test_an_edited_mail_is_stored_as_edited_and_listed_so(world: FilterWorld) -> None:
    await world.use('require "editheader"; deleteheader "Subject"; addheader "Subject" "Changed";')
    await world.receive(mail_of())
    ((raw, _),) = (await world.placed())["INBOX"]
    assert b"Subject: Changed\r\n" in raw
    assert b"Subject: Hello" not in raw
    assert raw.startswith(b"Subject: Changed\r\nReturn-Path: <carol@elsewhere.example>\r\nReceived: ")


async def test_scripts_see_the_mail_as_it_will_lie_there(world: FilterWorld) -> None:
    await world.use('if not header :contains "Received" "by mail.example.com" { discard; }')
    await world.receive(mail_of())
    assert await world.where() == {"INBOX": 1}


async def test_the_detail_of_an_address_is_seen(world: FilterWorld) -> None:
    await world.use(
        'require ["fileinto", "envelope", "subaddress", "mailbox"];'
        'if envelope :detail "to" "news" { fileinto :create "News"; }'
    )
    await world.receive(mail_of(), to=["alice+news@example.com"])
    await world.receive(mail_of("two"), to=["both@example.com"])
    assert await world.where() == {"News": 1, "INBOX": 1}


async def test_each_recipient_has_a_script_of_their_own(world: FilterWorld) -> None:
    await world.use('require "fileinto"; fileinto "Archive";')
    await world.use("discard;", of=BOB)
    await world.receive(mail_of(), to=[ALICE, BOB])
    assert (await world.where(), await world.where(BOB)) == ({"Archive": 1}, {})


async def test_suspicious_mail_that_is_kept_goes_into_junk_and_filed_where_it_is_filed(world: FilterWorld) -> None:
    await world.use("keep;")
    await world.receive(mail_of(), is_suspicious=True)
    await world.use('require "fileinto"; fileinto "Archive";')
    await world.receive(mail_of("two"), is_suspicious=True)
    assert await world.where() == {"Junk": 1, "Archive": 1}


async def test_a_full_account_has_the_mail_queued_and_nothing_done_twice(world: FilterWorld) -> None:
    await world.use('require ["fileinto", "copy"]; redirect :copy "dora@elsewhere.example";', of=SMALL)
    await world.receive(mail_of(body="x" * (SMALL_QUOTA - 700) + "\r\n"), to=[SMALL])
    assert await world.where(SMALL) == {"INBOX": 1}
    assert await world.sent_to() == ["dora@elsewhere.example"]
    await world.receive(mail_of("two", body="x" * 900 + "\r\n"), to=[SMALL, BOB])
    # Not sent on: it waits, with the script before it, for room.
    assert await world.sent_to() == ["dora@elsewhere.example", SMALL]


async def test_what_has_no_room_for_a_second_copy_lies_in_one_mailbox(world: FilterWorld) -> None:
    await world.use('require ["fileinto", "copy"]; fileinto :copy "Archive";', of=SMALL)
    assert isinstance(await world.receive(mail_of(body="x" * 1_000 + "\r\n"), to=[SMALL]), Accept)
    assert sum((await world.where(SMALL)).values()) >= 1
    assert await world.sent_to() == []


@pytest.mark.parametrize("path", ["Other Users/bob@example.com", "Other Users/bob@example.com/Archive", "../bob/INBOX"])
async def test_no_script_files_into_the_mailboxes_of_others(world: FilterWorld, path: str) -> None:
    extensions = '["fileinto", "mailbox", "copy", "vacation", "fcc"]'
    await world.use(f'require {extensions}; fileinto :copy :create "{path}"; vacation :fcc "{path}" "I am away.";')
    await world.receive(mail_of())
    assert await world.where(BOB) == {}
    assert sum((await world.where()).values()) == 3


async def test_a_large_mail_is_edited_for_each_of_its_accounts(world: FilterWorld) -> None:
    for account in (ALICE, BOB):
        await world.use(f'require "editheader"; addheader "X-For" "{account}";', of=account)
    body = "x" * 70 + "\r\n"
    assert isinstance(await world.receive(mail_of(body=body * 6_000), to=[ALICE, BOB]), Accept)
    for account in (ALICE, BOB):
        ((raw, _),) = (await world.placed(account))["INBOX"]
        assert raw.startswith(f"X-For: {account}\r\n".encode())


async def test_the_largest_mail_that_is_taken_can_be_edited(world: FilterWorld) -> None:
    await world.use('require "editheader"; addheader "X-Seen" "yes";')
    raw = mail_of(body=("x" * 70 + "\r\n") * 720_000)
    assert isinstance(await world.receive(raw), Accept)
    assert await world.where() == {"INBOX": 1}
    ((stored, _),) = (await world.placed())["INBOX"]
    assert stored.startswith(b"X-Seen: yes\r\n")
