"""Mailboxes of others: what is shared is there, what is not shared does not exist. RFC 2342, RFC 4314 §4, §6."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.model.principal import Account
from mailstack.model.resource import Kind, Operation, Resource, ResourceChange
from mailstack.services.mailbox import copy_move
from mailstack.store.sqlite.databases import account_folder
from tests.support.imap_dialogue import imap_client
from tests.support.imap_server import running_imap
from tests.support.two_accounts import OTHERS, TwoAccounts, two_accounts


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[TwoAccounts]:
    async with two_accounts(tmp_path) as accounts:
        yield accounts


async def test_what_is_shared_is_listed_and_selected(two: TwoAccounts) -> None:
    await two.share("lr")
    await two.other.talk(rf"""
        C: a LIST "" "Other*"
        S: * LIST (\HasNoChildren) "/" "{OTHERS}/shared"
        S: a OK …
        C: b LIST "" "Other Users/%"
        S: * LIST (\Noselect \HasChildren) "/" "{OTHERS}"
        S: b OK …
        C: c SELECT "{OTHERS}/shared"
        S: * FLAGS …
        S: ...
        S: * OK [PERMANENTFLAGS ()] …
        S: ...
        S: c OK [READ-ONLY] …
        C: d FETCH 1:* FLAGS
        S: * 1 FETCH (FLAGS (\Seen))
        S: * 2 FETCH (FLAGS (\Flagged))
        S: * 3 FETCH (FLAGS (\Deleted))
        S: d OK …
        C: e STORE 2 +FLAGS (\Seen)
        S: e NO [NOPERM] …
        C: f STATUS "{OTHERS}/shared" (MESSAGES UNSEEN)
        S: * STATUS "{OTHERS}/shared" (MESSAGES 3 UNSEEN 2)
        S: f OK …
    """)


@pytest.mark.parametrize("name", [f"{OTHERS}/shared", f"{OTHERS}/nothing", "Other Users/nobody@peer.test/shared"])
async def test_answers_do_not_tell_a_hidden_mailbox_from_none(two: TwoAccounts, name: str) -> None:
    """CVE-2026-47081 to 47089: what may not be known is answered as what is not there."""
    await two.share("lr", mailbox="INBOX")
    for command, answer in (
        ('SELECT "{}"', "NO [NONEXISTENT] No such mailbox"),
        ('EXAMINE "{}"', "NO [NONEXISTENT] No such mailbox"),
        ('STATUS "{}" (MESSAGES)', "NO [NONEXISTENT] No such mailbox"),
        ('DELETE "{}"', "NO [NONEXISTENT] No such mailbox"),
        ('RENAME "{}" x', "NO [NONEXISTENT] No such mailbox"),
        ('SUBSCRIBE "{}"', "NO [NONEXISTENT] No such mailbox"),
        ('UNSUBSCRIBE "{}"', "NO [NONEXISTENT] No such mailbox"),
        ('GETACL "{}"', "NO [NONEXISTENT] No such mailbox"),
        ('SETACL "{}" u1 lr', "NO [NONEXISTENT] No such mailbox"),
        ('DELETEACL "{}" u1', "NO [NONEXISTENT] No such mailbox"),
        ('LISTRIGHTS "{}" u1', "NO [NONEXISTENT] No such mailbox"),
        ('MYRIGHTS "{}"', "NO [NONEXISTENT] No such mailbox"),
        ('GETQUOTAROOT "{}"', "NO [NONEXISTENT] No such mailbox"),
        ('GETMETADATA "{}" /shared/comment', "NO [NONEXISTENT] No such mailbox"),
        ('SETMETADATA "{}" (/shared/comment "x")', "NO [NONEXISTENT] No such mailbox"),
        ('CREATE "{}"', "NO [NOPERM] Not permitted"),
        ('CREATE "{}/below"', "NO [NOPERM] Not permitted"),
        ('RENAME Drafts "{}"', "NO [NOPERM] Not permitted"),
    ):
        await two.other.talk(f"C: x {command.format(name)}\nS: x {answer}")
    await two.other.talk(f"""
        C: s SELECT INBOX
        S: ...
        S: s OK …
        C: a COPY 1:* "{name}"
        S: a NO [TRYCREATE] No such mailbox
        C: b UID COPY 1:* "{name}"
        S: b NO [TRYCREATE] No such mailbox
        C: c UID MOVE 1:* "{name}"
        S: c NO [TRYCREATE] No such mailbox
        C: d LIST "" "{name}"
        S: d OK …
        C: e LSUB "" "{name}"
        S: e OK …
    """)


async def test_rights_taken_away_count_at_once(two: TwoAccounts) -> None:
    await two.share("lrw")
    await two.other.talk(f"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK [READ-WRITE] …
        C: b STORE 1 +FLAGS.SILENT ($Forwarded)
        S: b OK …
    """)
    await two.share("lr")
    await two.other.talk("""
        C: c STORE 1 +FLAGS.SILENT ($Junk)
        S: c NO [NOPERM] …
    """)
    await two.owner.talk("""
        C: d DELETEACL shared u1
        S: d OK …
    """)
    await two.other.talk("""
        C: e NOOP
        S: * BYE The mailbox is no longer there
        S: e OK …
    """)


@pytest.mark.parametrize(
    "command",
    [
        "FETCH 1:* BODY.PEEK[]",
        "UID FETCH 1:* FLAGS",
        "SEARCH TEXT body",
        "SORT (ARRIVAL) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "COPY 1:* INBOX",
    ],
)
async def test_nothing_is_told_of_a_selected_mailbox_once_it_may_not_be_read(two: TwoAccounts, command: str) -> None:
    """RFC 4314 §5.1.1: the very next command sees that the right to read is gone, and not only the one after it."""
    await two.share("lr")
    await two.other.talk(f"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK …
    """)
    await two.share("l")
    await two.other.talk(f"""
        C: b {command}
        S: * BYE The mailbox is no longer there
        S: b NO [NONEXISTENT] …
    """)


@pytest.mark.parametrize("command", ["CLOSE", "UNSELECT"])
async def test_a_mailbox_that_may_not_be_read_any_more_can_be_left(two: TwoAccounts, command: str) -> None:
    await two.share("lrte")
    await two.other.talk(f"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK …
    """)
    await two.share("l")
    await two.other.talk(f"""
        C: b {command}
        S: b OK …
    """)
    await two.owner.talk("""
        C: c STATUS shared (MESSAGES)
        S: * STATUS "shared" (MESSAGES 3)
        S: c OK …
    """)


async def test_a_url_relative_to_a_mailbox_that_may_not_be_read_any_more(two: TwoAccounts) -> None:
    """RFC 4469 §3."""
    await two.share("lr")
    await two.other.talk(f"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK …
        C: b APPEND INBOX CATENATE (URL ";UID=1")
        S: b OK …
    """)
    await two.share("l")
    await two.other.talk("""
        C: c APPEND INBOX CATENATE (URL ";UID=1")
        S: c NO [BADURL ;UID=1] …
    """)


async def test_select_tells_of_no_hidden_children(two: TwoAccounts) -> None:
    """RFC 5258 §4: \\HasChildren would tell that there is something below."""
    await two.owner.talk("C: c CREATE shared/below\nS: c OK …")
    await two.share("lr")
    await two.other.talk(rf"""
        C: a ENABLE IMAP4rev2
        S: ...
        S: a OK …
        C: b SELECT "{OTHERS}/shared"
        S: ...
        S: * LIST (\HasNoChildren) "/" "{OTHERS}/shared"
        S: ...
        S: b OK …
    """)
    await two.share("l", mailbox="shared/below")
    await two.other.talk(rf"""
        C: c SELECT "{OTHERS}/shared"
        S: ...
        S: * LIST (\HasChildren) "/" "{OTHERS}/shared"
        S: ...
        S: c OK …
    """)


async def test_only_flags_that_may_be_changed_are(two: TwoAccounts) -> None:
    await two.share("lrs")
    await two.other.talk(rf"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: * OK [PERMANENTFLAGS (\Seen)] …
        S: ...
        S: a OK [READ-WRITE] …
        C: b STORE 2 +FLAGS (\Seen \Answered \Deleted)
        S: * 2 FETCH (…FLAGS (\Flagged \Seen))
        S: b OK …
        C: c STORE 2 FLAGS ()
        S: * 2 FETCH (…FLAGS (\Flagged))
        S: c OK …
        C: d STORE 2 +FLAGS (\Answered)
        S: d NO [NOPERM] …
        C: e EXPUNGE
        S: e NO [NOPERM] …
        C: f CLOSE
        S: f OK …
    """)
    await two.owner.talk(r"""
        C: g STATUS shared (MESSAGES)
        S: * STATUS "shared" (MESSAGES 3)
        S: g OK …
    """)


async def test_a_fetch_without_the_right_marks_nothing(two: TwoAccounts) -> None:
    """RFC 4314 §4."""
    await two.share("lrw")
    await two.other.talk(rf"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK …
        C: b FETCH 2 BODY[TEXT]
        S: * 2 FETCH (BODY[TEXT] {{12}}
        S: body of it
        S: )
        S: b OK …
        C: c FETCH 2 FLAGS
        S: * 2 FETCH (FLAGS (\Flagged))
        S: c OK …
    """)


async def test_append_and_copy_leave_out_flags_that_may_not_be_set(two: TwoAccounts) -> None:
    """RFC 4314 §4's example: `rsti` keeps \\Deleted and \\Seen, and nothing else."""
    await two.share("rsti")
    await two.other.append(b"Subject: x\r\n\r\nx\r\n", flags="\\Draft \\Deleted \\Seen")
    await two.other.append(b"Subject: x\r\n\r\nx\r\n", mailbox=f'"{OTHERS}/shared"', flags="\\Draft \\Seen")
    await two.other.talk(f"""
        C: a SELECT INBOX
        S: ...
        S: a OK …
        C: b COPY 1 "{OTHERS}/shared"
        S: b OK [COPYUID … 1 5] …
    """)
    await two.owner.talk(r"""
        C: c SELECT shared
        S: ...
        S: c OK …
        C: d FETCH 4:5 FLAGS
        S: * 4 FETCH (FLAGS (\Seen))
        S: * 5 FETCH (FLAGS (\Seen \Deleted))
        S: d OK …
    """)


async def test_a_move_across_accounts(two: TwoAccounts) -> None:
    await two.share("lrswite")
    await two.other.talk(rf"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK …
        C: b MOVE 2:3 INBOX
        S: * OK [COPYUID … 2:3 1:2] Moved
        S: * 3 EXPUNGE
        S: * 2 EXPUNGE
        S: b OK …
        C: c SELECT INBOX
        S: ...
        S: c OK …
        C: d FETCH 1:* (FLAGS BODY.PEEK[TEXT])
        S: * 1 FETCH (FLAGS (\Flagged) BODY[TEXT] {{12}}
        S: body of it
        S: )
        S: * 2 FETCH (FLAGS (\Deleted) BODY[TEXT] {{12}}
        S: body of it
        S: )
        S: d OK …
    """)


async def test_a_copy_across_accounts_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 9051 §6.4.7; each message is stored by itself here, and the third is one too many."""
    monkeypatch.setattr(copy_move, "OCTETS_AT_ONCE", 1)
    async with two_accounts(tmp_path, quota_bytes=10_000) as two:
        await two.share("lrswite")
        for _ in range(3):
            await two.other.append(b"Subject: x\r\n\r\n" + b"x" * 3_000)
        await two.owner.append(b"Subject: x\r\n\r\n" + b"x" * 2_000)
        await two.other.talk(rf"""
            C: a SELECT INBOX
            S: ...
            S: a OK …
            C: b MOVE 1:3 "{OTHERS}/shared"
            S: b NO [OVERQUOTA] …
            C: c STATUS "{OTHERS}/shared" (MESSAGES)
            S: * STATUS "{OTHERS}/shared" (MESSAGES 3)
            S: c OK …
            C: d MOVE 1:2 "{OTHERS}/shared"
            S: * OK [COPYUID … 1:2 6:7] Moved
            S: * 2 EXPUNGE
            S: * 1 EXPUNGE
            S: d OK …
        """)


async def test_a_move_away_needs_the_rights_to_delete(two: TwoAccounts) -> None:
    await two.share("lrswit")
    await two.other.talk(f"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK …
        C: b MOVE 1 INBOX
        S: b NO [NOPERM] …
    """)


async def test_mailboxes_below_another_s(two: TwoAccounts) -> None:
    await two.share("lrkx")
    await two.other.talk(rf"""
        C: a CREATE "{OTHERS}/shared/below"
        S: a OK [MAILBOXID (F…)] …
        C: b MYRIGHTS "{OTHERS}/shared/below"
        S: * MYRIGHTS "{OTHERS}/shared/below" "lrkxc"
        S: b OK …
        C: c RENAME "{OTHERS}/shared/below" "{OTHERS}/shared/lower"
        S: c OK …
        C: d RENAME "{OTHERS}/shared/lower" mine
        S: d NO [CANNOT] …
        C: e LIST "" "{OTHERS}/*"
        S: * LIST (\HasChildren) "/" "{OTHERS}/shared"
        S: * LIST (\HasNoChildren) "/" "{OTHERS}/shared/lower"
        S: e OK …
        C: f DELETE "{OTHERS}/shared/lower"
        S: f OK …
        C: g CREATE "{OTHERS}/top"
        S: g NO [NOPERM] …
    """)


async def test_subscriptions_to_another_s_are_the_viewer_s(two: TwoAccounts) -> None:
    await two.share("lr")
    await two.other.talk(rf"""
        C: a SUBSCRIBE "{OTHERS}/shared"
        S: a OK …
        C: b LSUB "" "Other*"
        S: * LSUB (\HasNoChildren) "/" "{OTHERS}/shared"
        S: b OK …
    """)
    await two.owner.talk(r"""
        C: c UNSUBSCRIBE shared
        S: c OK …
    """)
    await two.other.talk(rf"""
        C: d LIST (SUBSCRIBED) "" "Other*"
        S: * LIST (\Subscribed \HasNoChildren) "/" "{OTHERS}/shared"
        S: d OK …
        C: e UNSUBSCRIBE "{OTHERS}/shared"
        S: e OK …
        C: f LSUB "" "Other*"
        S: f OK …
    """)


@pytest.mark.parametrize("whom", ["anyone", "authenticated"])
async def test_what_anyone_may_do(two: TwoAccounts, whom: str) -> None:
    await two.owner.talk(f"""
        C: a SETACL shared {whom} lrs
        S: a OK …
        C: b SETACL shared -u1 s
        S: b OK …
    """)
    await two.other.talk(f"""
        C: c MYRIGHTS "{OTHERS}/shared"
        S: * MYRIGHTS "{OTHERS}/shared" "lr"
        S: c OK …
    """)


async def test_idle_on_another_s_mailbox(two: TwoAccounts) -> None:
    await two.share("lr")
    await two.other.talk(f"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK …
        C: b IDLE
        S: + …
    """)
    await two.owner.append(b"Subject: new\r\n\r\nnew\r\n", mailbox="shared")
    await two.other.talk("""
        S: * 4 EXISTS
        C: DONE
        S: ...
        S: b OK …
    """)


async def test_an_owner_who_cannot_be_read_spoils_nobody_s_list(two: TwoAccounts, tmp_path: Path) -> None:
    await two.share("lr")
    owner = await two.server.store.accounts.find("u0@peer.test")
    assert isinstance(owner, Account)
    two.owner.close()
    await two.server.store.close()
    (account_folder(tmp_path / "store", owner.account_id) / "mail.db").write_bytes(b"not a database" * 1_000)
    async with running_imap(tmp_path, accounts=("u0", "u1")) as again, imap_client(again.port) as viewer:
        await viewer.login("u1")
        await viewer.talk(r"""
            C: a LIST "" (INBOX "Other Users/*")
            S: * LIST (\HasNoChildren) "/" "INBOX"
            S: a OK …
        """)


async def test_an_owner_who_is_destroyed_takes_his_mailboxes_along(two: TwoAccounts) -> None:
    await two.share("lr")
    await two.other.talk(f"""
        C: a SELECT "{OTHERS}/shared"
        S: ...
        S: a OK …
    """)
    gone = Resource(kind=Kind.ACCOUNT, name="u0@peer.test", fields={})
    change = ResourceChange(operation=Operation.DESTROY, resource=gone)
    state = two.server.store.state
    await state.commit([change], base=await state.generation(), spec_hash="test")
    await two.other.talk("""
        C: b FETCH 1 BODY.PEEK[]
        S: * BYE The mailbox is no longer there
        S: b NO [NONEXISTENT] …
    """)
    async with imap_client(two.server.port) as viewer:
        await viewer.login("u1")
        await viewer.talk(f"""
            C: c LIST "" "Other Users/*"
            S: c OK …
            C: d STATUS "{OTHERS}/shared" (MESSAGES)
            S: d NO [NONEXISTENT] …
        """)
