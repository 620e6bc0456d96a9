"""Each rule of an account's file, broken by hand, is found and named."""

from pathlib import Path

import apsw
import pytest

from mailstack.app.silence import Silence
from mailstack.model.flags import FLAGGED
from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.upkeep import Flaw
from mailstack.store.sql.invariants import INVARIANTS, SHOWN_OF_A_RULE
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import open_store
from tests.support.damage import DAMAGE
from tests.support.fake_clock import FakeClock
from tests.support.stores import mailbox_with, make_account, new_message, uids

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
