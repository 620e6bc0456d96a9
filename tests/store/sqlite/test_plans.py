"""The statements that run for every message use an index: a long queue or a full mailbox must not slow them."""

import re

import pytest

from mailstack.model.ids import AccountId
from mailstack.store.sql import (
    accounts,
    acquaintances,
    appending,
    changes,
    copying,
    emails,
    finding,
    flagging,
    indexing,
    leasing,
    mailboxes,
    messages,
    object_journal,
    packs,
    placing,
    push_subscriptions,
    queue,
    queue_figures,
    removal,
    reputation,
    scripts,
    sending_identities,
    sieve_memory,
    spam_lessons,
    spam_tables,
    threading,
    uploads,
    vacations,
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
    acquaintances.FIND,
    acquaintances.BOUND,
    acquaintances.PART,
    acquaintances.FORGET_SOME,
    leasing.ANY_DUE,
    leasing.DUE,
    leasing.DUE_IN_LANES,
    leasing.HEADS,
    leasing.NEXT_DUE,
    scripts.RUNNING,
    scripts.NAMED,
    scripts.WHICH_IS_ACTIVE,
    vacations.READ,
    push_subscriptions.ANY,
    object_journal.NUMBERS,
    object_journal.SINCE,
    object_journal.STATE,
    object_journal.FORGET_SOME,
    push_subscriptions.COUNT,
    push_subscriptions.HEADS,
    push_subscriptions.OF_ACCOUNT,
    push_subscriptions.FORGET_SOME,
    push_subscriptions.FORGET_PUSHES,
    sending_identities.ALL,
    queue.BY_ID,
    queue.LEASE,
    queue.OWNED,
    queue.RENEW,
    queue.LEAVE_MAIL,
    queue.CONTENT,
    queue.PAGE,
    queue.PUT,
    queue.RETRY_OTHERS,
    queue_figures.WEIGHT,
    queue.LEAVE,
    reputation.FIND,
    sieve_memory.FIND,
    sieve_memory.BOUND,
    sieve_memory.FORGET_SOME,
    spam_lessons.OPEN,
    spam_lessons.TAUGHT_SINCE,
    spam_lessons.TAKE_VOTE_BACK,
    spam_tables.CHANGED,
    spam_tables.NEXT_CHANGE,
    spam_tables.UPDATES,
    sweep.NAMED_IN_QUEUE,
    uploads.OF_ACCOUNT,
    uploads.SIZES,
    uploads.BYTES,
    uploads.FORGET_SOME,
)
ACCOUNT = (
    appending.TAKE_UIDS,
    changes.SINCE,
    copying.LIE_THERE,
    emails.LOG_ABOVE,
    emails.OF_THREADS,
    emails.THREADS,
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
    placing.PLACED,
    placing.THERE,
    threading.FIND,
)


FEW_ROWS = {"SCAN counter", "SCAN search_state", "SCAN soonest"}


def scans(connection: Connection, statement: str) -> list[str]:
    values = (1,) * (max(map(int, re.findall(r"\?(\d)", statement)), default=0) or statement.count("?"))
    steps = [str(row[3]) for row in connection.rows(f"EXPLAIN QUERY PLAN {statement}", values)]
    # What json_each scans is the statement's own list, a state or a counter is one row, and LIMIT says how many the
    # soonest are.
    steps = [step for step in steps if "VIRTUAL TABLE" not in step and step not in FEW_ROWS]
    return [step for step in steps if (step.startswith("SCAN") and "USING" not in step) or "TEMP B-TREE" in step]


@pytest.mark.parametrize("statement", SYSTEM)
async def test_system(store: SqliteStore, statement: str) -> None:
    connection = Connection(store._files.system.path, Access.READ)
    assert scans(connection, statement) == []
    connection.close()


@pytest.mark.parametrize("statement", ACCOUNT)
async def test_account(store: SqliteStore, account_id: AccountId, statement: str) -> None:
    await store.mailboxes.list(account_id)
    root = store._files.system.path.parent
    connection = Connection(account_folder(root, account_id) / "mail.db", Access.READ)
    assert scans(connection, statement) == []
    connection.close()
