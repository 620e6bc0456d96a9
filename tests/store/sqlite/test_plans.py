"""The statements that run for every message use an index: a long queue or a full mailbox must not slow them."""

import pytest

from mailstack.model.ids import AccountId
from mailstack.store.sql import (
    accounts,
    appending,
    changes,
    copying,
    finding,
    flagging,
    indexing,
    mailboxes,
    messages,
    packs,
    queue,
    removal,
    threading,
)
from mailstack.store.sqlite import sweep
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import SqliteStore

SYSTEM = (
    accounts.BY_ADDRESS,
    accounts.BY_ID,
    accounts.ALIAS,
    accounts.DOMAIN,
    queue.ANY_DUE,
    queue.DUE,
    queue.DUE_OF_MAIL,
    queue.LEASE,
    queue.NEXT_DUE,
    queue.OWNED,
    queue.RENEW,
    queue.LEAVE_MAIL,
    queue.CONTENT,
    sweep.NAMED_IN_QUEUE,
)
ACCOUNT = (
    appending.TAKE_UIDS,
    changes.SINCE,
    copying.LIE_THERE,
    flagging.IN_RANGE,
    flagging.ELSEWHERE,
    flagging.SET_FLAGS,
    flagging.SET_KEYWORDS,
    flagging.LOG_THEM,
    mailboxes.STATUS,
    messages.PLACEMENTS,
    messages.STORED_ONE,
    messages.STORED_MANY,
    messages.BYTES,
    removal.DELETE_MESSAGES,
    removal.DELETE_BLOBS,
    removal.DELETE_PLACEMENTS,
    removal.DELETED_IN_RANGE,
    sweep.NAMED_IN_ACCOUNT,
    finding.PLACES_OF_EMAIL,
    finding.PLACES_OF_THREAD,
    indexing.BACKLOG,
    indexing.IS_BEHIND,
    packs.FORMS_IN_BLOCK,
    threading.FIND,
)


ONE_ROW = {"SCAN counter", "SCAN search_state"}


def scans(connection: Connection, statement: str) -> list[str]:
    values = (1,) * (2 if "?2" in statement else statement.count("?"))
    steps = [str(row[3]) for row in connection.rows(f"EXPLAIN QUERY PLAN {statement}", values)]
    # What json_each scans is the statement's own list, and a state or a counter is one row.
    steps = [step for step in steps if "VIRTUAL TABLE" not in step and step not in ONE_ROW]
    return [step for step in steps if (step.startswith("SCAN") and "USING" not in step) or "TEMP B-TREE" in step]


@pytest.mark.parametrize("statement", SYSTEM)
async def test_system(store: SqliteStore, statement: str) -> None:
    connection = Connection(store._files.system.path, Access.READ)
    assert scans(connection, statement) == []
    connection.close()


async def test_what_is_due_of_several_mails_is_sorted_and_nothing_else_is_looked_at(store: SqliteStore) -> None:
    connection = Connection(store._files.system.path, Access.READ)
    assert scans(connection, queue.DUE_OF_MAILS) == ["USE TEMP B-TREE FOR ORDER BY"]
    connection.close()


@pytest.mark.parametrize("statement", ACCOUNT)
async def test_account(store: SqliteStore, account_id: AccountId, statement: str) -> None:
    await store.mailboxes.list(account_id)
    root = store._files.system.path.parent
    connection = Connection(account_folder(root, account_id) / "mail.db", Access.READ)
    assert scans(connection, statement) == []
    connection.close()
