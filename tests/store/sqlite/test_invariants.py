"""Each rule of an account's file, broken by hand, is found and named."""

from pathlib import Path

import apsw
import pytest

from mailstack.app.silence import Silence
from mailstack.model.flags import FLAGGED
from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.upkeep import Flaw
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.invariants import INVARIANTS, SHOWN_OF_A_RULE
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.stores import mailbox_with, make_account, new_message, uids

# What is done to the file, and the rules that it breaks. Foreign keys are off, as they are for a disk that rots.
DAMAGE = {
    "UPDATE mailbox SET unseen = unseen + 1 WHERE mailbox_id = 1": {"mailbox-counts"},
    "UPDATE mailbox SET messages = 0 WHERE mailbox_id = 1": {"mailbox-counts"},
    "UPDATE mailbox SET uid_next = 2 WHERE mailbox_id = 1": {"uid-next"},
    "UPDATE counter SET last_uid_validity = 0": {"uid-validity"},
    "UPDATE mailbox SET parent_id = 2 WHERE mailbox_id = 2": {"mailbox-tree"},
    "DELETE FROM message WHERE message_id = 1": {
        "placement-without-message", "mailbox-counts", "quota", "blob-without-message", "foreign-key-check",
    },
    "UPDATE placement SET mailbox_id = 99 WHERE uid = 3": {
        "placement-without-mailbox", "mailbox-counts", "change-log", "foreign-key-check", "keyword-not-listed",
    },
    "DELETE FROM placement WHERE message_id = 2": {"message-nowhere", "mailbox-counts"},
    "INSERT INTO placement SELECT * FROM (SELECT 1, 4, 1, mod_seq, 0, '', 0 FROM placement WHERE uid = 1 LIMIT 1)": {
        "message-twice", "mailbox-counts", "uid-next", "change-log", "keywords-differ",
    },
    "INSERT INTO access VALUES (99, 'anyone', '', 'lr')": {"foreign-key-check"},
    "INSERT INTO annotation VALUES (99, '', '/shared/comment', x'00')": {"foreign-key-check"},
    "INSERT INTO access VALUES (1, 'bob@example.com', '', 'lrz')": {"access"},
    "INSERT INTO access VALUES (1, 'bob@example.com', '0', '')": {"access"},
    "INSERT INTO access VALUES (1, '-anyone', '0', 'l')": {"access"},
    "INSERT INTO annotation VALUES (1, '', '/private/comment', x'00')": {"annotation"},
    "INSERT INTO annotation VALUES (1, '0', '/shared/comment', x'00')": {"annotation"},
    "INSERT INTO annotation VALUES (NULL, '', '/shared/Comment', x'00')": {"annotation"},
    "INSERT INTO subscription VALUES ('', 1)": {"subscription"},
    "INSERT INTO absent_subscription VALUES ('a/')": {"subscription"},
    "DELETE FROM blob WHERE blob_key = 2": {"message-without-blob"},
    "INSERT INTO blob (blob_key, blob_id, forms, content) VALUES (77, zeroblob(32), x'00', x'00')": {
        "blob-without-message",
    },
    "UPDATE blob SET content = NULL WHERE blob_key = 1": {"blob-bytes"},
    "UPDATE blob SET blob_id = x'00' WHERE blob_key = 1": {"blob-bytes"},
    "UPDATE placement SET keywords = 'other' WHERE mailbox_id <> 1": {"keywords-differ", "keyword-not-listed"},
    "INSERT INTO head_pack VALUES (0, 2, x'', x'', x'', x'')": {"head-pack"},
    "DELETE FROM mailbox_keyword WHERE mailbox_id = 1": {"keyword-not-listed"},
    "UPDATE counter SET mod_seq = 1": {"mod-seq"},
    "UPDATE counter SET last_message_id = 1": {"message-id"},
    "DELETE FROM change_log WHERE uid = 2": {"change-log"},
    "UPDATE counter SET floor_mod_seq = (SELECT MAX(mod_seq) FROM change_log)": {"change-log-floor"},
    "UPDATE counter SET used_bytes = 5": {"quota"},
    "UPDATE search_state SET indexed_up_to = 99": {"index-ahead", "message-not-indexed"},
    "DELETE FROM search_state": {"index-state"},
    "UPDATE placement SET keywords = '\"' WHERE message_id = 2": {"keyword-not-listed"},
    "INSERT INTO search_index (rowid, words) VALUES (99, 'Xword')": {"index-without-message"},
    "INSERT INTO search_partial (message_id) VALUES (99)": {"index-without-message"},
    "UPDATE message SET thread_id = 99": {"thread"},
}  # fmt: skip

FIFTY_BLOBS = """WITH RECURSIVE n (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM n WHERE n < 149)
    INSERT INTO blob (blob_key, blob_id, forms, content) SELECT n, zeroblob(32), x'00', x'00' FROM n"""


async def make_store(path: Path) -> AccountId:
    store = await open_store(path, clock=FakeClock(), bus=Silence())
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    keywords = frozenset({FLAGGED, "$Label"})
    await store.messages.append(account_id, inbox, [new_message(number, keywords=keywords) for number in range(3)])
    await store.messages.copy(account_id, inbox, uids(1), trash)
    await store.close()
    return account_id


async def flaws(path: Path, account_id: AccountId, *, reads_messages: bool = False) -> list[Flaw]:
    store = await open_store(path, clock=FakeClock(), bus=Silence(), read_only=True)
    try:
        found = await store.upkeep.verify(
            account_id, reads_messages=reads_messages, progress=lambda _done, _count: None
        )
        return list(found)
    finally:
        await store.close()


def damage(path: Path, account_id: AccountId, *statements: str) -> None:
    connection = apsw.Connection(str(account_folder(path, account_id) / "mail.db"))
    for statement in statements:
        connection.execute(statement)
    connection.close(True)


@pytest.mark.parametrize(("statement", "rules"), DAMAGE.items(), ids=list(DAMAGE))
async def test_a_broken_rule_is_found(tmp_path: Path, statement: str, rules: set[str]) -> None:
    account_id = await make_store(tmp_path)
    assert await flaws(tmp_path, account_id) == []
    damage(tmp_path, account_id, statement)
    assert {flaw.rule for flaw in await flaws(tmp_path, account_id)} == rules


def test_every_rule_is_broken_here() -> None:
    assert {invariant.rule for invariant in INVARIANTS} <= set().union(*DAMAGE.values())


async def test_many_flaws_of_one_kind_are_counted(tmp_path: Path) -> None:
    account_id = await make_store(tmp_path)
    damage(tmp_path, account_id, FIFTY_BLOBS)
    found = await flaws(tmp_path, account_id)
    assert len(found) == SHOWN_OF_A_RULE + 1
    assert found[-1].text == "and 30 more of these"


async def test_bytes_that_changed_are_found_by_their_hash(tmp_path: Path) -> None:
    account_id = await make_store(tmp_path)
    damage(
        tmp_path,
        account_id,
        "UPDATE blob SET content = (SELECT content FROM blob WHERE blob_key = 3) WHERE blob_key = 2",
    )
    assert await flaws(tmp_path, account_id) == []
    (flaw,) = await flaws(tmp_path, account_id, reads_messages=True)
    assert (flaw.rule, flaw.where) == ("message-bytes", "message 2")


async def test_forms_that_cannot_be_opened(tmp_path: Path) -> None:
    account_id = await make_store(tmp_path)
    damage(tmp_path, account_id, "UPDATE blob SET forms = x'00' WHERE blob_key = 3")
    assert await flaws(tmp_path, account_id) == []
    (flaw,) = await flaws(tmp_path, account_id, reads_messages=True)
    assert (flaw.rule, flaw.where) == ("message-forms", "message 3")


@pytest.mark.parametrize(
    ("statement", "rule", "where"),
    [
        ("INSERT INTO head_pack VALUES (0, 3, x'00', x'', x'', x'')", "head-pack", "pack 0"),
        ("INSERT INTO search_vocabulary VALUES (7, 0, x'00')", "search-words", "chunk 7"),
    ],
)
async def test_what_is_made_from_messages_and_cannot_be_opened(
    tmp_path: Path, statement: str, rule: str, where: str
) -> None:
    account_id = await make_store(tmp_path)
    damage(tmp_path, account_id, "UPDATE search_state SET indexed_up_to = 0", statement)
    found = [flaw for flaw in await flaws(tmp_path, account_id, reads_messages=True) if "reindex" in flaw.text]
    assert [(flaw.rule, flaw.where) for flaw in found] == [(rule, where)]


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    account_id = await make_store(tmp_path)
    path = account_folder(tmp_path, account_id) / "mail.db"
    path.write_bytes(b"no database" * 1_000)
    (flaw,) = await flaws(tmp_path, account_id)
    assert (flaw.rule, flaw.where) == ("file", "the account's file")
