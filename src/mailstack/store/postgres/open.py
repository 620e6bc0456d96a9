"""Opens the store of one process on PostgreSQL: connections, schema, and the ports over them."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Clock, Instant
from mailstack.ports.bus import GENERATION_TOPIC, Bus
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.store.postgres import marks, schema_account, schema_system
from mailstack.store.postgres.databases import LONG_AT_ONCE, AccountDatabases, Engine, PostgresDatabase
from mailstack.store.postgres.link import Address, Limits, Link, first_line, open_link
from mailstack.store.postgres.migrations import LIST_TABLES, VERSION_TABLE, migrate, require_newest
from mailstack.store.postgres.pool import MOST, Pool
from mailstack.store.postgres.remains import RowRemains
from mailstack.store.postgres.upkeep import AccountRows
from mailstack.store.sql.accounts import SqlAccounts
from mailstack.store.sql.acquaintances import SqlAcquaintances
from mailstack.store.sql.annotations import SqlAnnotations
from mailstack.store.sql.app_passwords import SqlAppPasswords
from mailstack.store.sql.bad_addresses import SqlBadAddresses
from mailstack.store.sql.bans import SqlBans
from mailstack.store.sql.blobs import Blobs
from mailstack.store.sql.challenges import SqlChallenges
from mailstack.store.sql.changes import SqlChanges
from mailstack.store.sql.crowds import SqlCrowds
from mailstack.store.sql.database import Transaction
from mailstack.store.sql.email_submissions import SqlEmailSubmissions
from mailstack.store.sql.emails import SqlEmails
from mailstack.store.sql.finding import SqlSearch
from mailstack.store.sql.greylist import SqlGreylist
from mailstack.store.sql.hand_notes import SqlHandNotes
from mailstack.store.sql.issuance import SqlIssuance
from mailstack.store.sql.locks import SqlLocks
from mailstack.store.sql.mailboxes import SqlMailboxes
from mailstack.store.sql.messages import SqlMessages
from mailstack.store.sql.object_journal import SqlObjectJournal
from mailstack.store.sql.push_subscriptions import SqlPushSubscriptions
from mailstack.store.sql.queue import SqlQueue
from mailstack.store.sql.reputation import SqlReputation
from mailstack.store.sql.scripts import SqlScripts
from mailstack.store.sql.sending_identities import SqlSendingIdentities
from mailstack.store.sql.sharing import SqlSharing
from mailstack.store.sql.sieve_memory import SqlSieveMemory
from mailstack.store.sql.spam_lessons import SqlSpamLessons
from mailstack.store.sql.spam_tables import SqlSpamTables
from mailstack.store.sql.state import SqlState
from mailstack.store.sql.sts_policies import SqlStsPolicies
from mailstack.store.sql.submitted import SqlSubmitted
from mailstack.store.sql.tokens import SqlTokens
from mailstack.store.sql.trash import SqlTrash
from mailstack.store.sql.tree_changes import SqlTreeChanges
from mailstack.store.sql.unsubscribed import SqlUnsubscribed
from mailstack.store.sql.upkeep import SqlUpkeep
from mailstack.store.sql.uploads import SqlUploads
from mailstack.store.sql.vacations import SqlVacations
from mailstack.store.sql.verifiers import SqlVerifiers
from mailstack.store.sql.warm_days import SqlWarmDays
from mailstack.store.sql.web_sessions import SqlWebSessions

BLOB_THREADS = 16
PARTS = {"accounts": schema_account.MIGRATIONS, "system": schema_system.MIGRATIONS}

NOW = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)"
INSTALL = "INSERT INTO installation (only_row, digest_key) VALUES (1, ?) ON CONFLICT DO NOTHING"


class PostgresStore:
    """Every port, on one database. Opened after the fork, used on one loop."""

    def __init__(self, engine: Engine, *, blobs: Blobs, clock: Clock, token: Callable[[int], bytes], bus: Bus) -> None:
        self._engine = engine
        self._blobs = blobs
        self.clock = clock
        self._is_closed = False
        self._system = PostgresDatabase(engine, None)
        self._accounts = AccountDatabases(engine, self._system)
        remains = RowRemains(self._system)
        self.accounts = SqlAccounts(self._system)
        wakes = (self._accounts.forget, self.accounts.recheck)
        self._end_watches = [bus.watch(GENERATION_TOPIC, wake) for wake in wakes]
        self.verifiers = SqlVerifiers(self._system)
        self.app_passwords = SqlAppPasswords(self._system)
        self.web_sessions = SqlWebSessions(self._system)
        self.state = SqlState(
            self._system, clock=clock, token=token, discard=remains.discard, committed=self.accounts.recheck
        )
        self.queue = SqlQueue(self._system, blobs=blobs.of_queue(), clock=clock)
        self.email_submissions = SqlEmailSubmissions(self._system, self.queue)
        self.object_journal = SqlObjectJournal(self._system)
        self.sending_identities = SqlSendingIdentities(self._system, clock=clock)
        self.uploads = SqlUploads(self._system, blobs=blobs.of_queue())
        self.push_subscriptions = SqlPushSubscriptions(self._system)
        self.locks = SqlLocks(self._system)
        self.challenges = SqlChallenges(self._system, clock=clock)
        self.bans = SqlBans(self._system)
        self.greylist = SqlGreylist(self._system)
        self.bad_addresses = SqlBadAddresses(self._system)
        self.sts_policies = SqlStsPolicies(self._system)
        self.unsubscribed = SqlUnsubscribed(self._system)
        self.submitted = SqlSubmitted(self._system)
        self.warm_days = SqlWarmDays(self._system)
        self.hand_notes = SqlHandNotes(self._system)
        self.scripts = SqlScripts(self._system, clock=clock, token=token)
        self.vacations = SqlVacations(self._system, clock=clock)
        self.sieve_memory = SqlSieveMemory(self._system)
        self.reputation = SqlReputation(self._system)
        self.acquaintances = SqlAcquaintances(self._system)
        self.spam_lessons = SqlSpamLessons(self._system, clock=clock)
        self.spam_tables = SqlSpamTables(self._system)
        self.issuance = SqlIssuance(self._system)
        self.mailboxes = SqlMailboxes(self._accounts, blobs=blobs, clock=clock)
        self.messages = SqlMessages(self._accounts, blobs=blobs, clock=clock)
        self.emails = SqlEmails(self._accounts, blobs=blobs, clock=clock)
        self.tree_changes = SqlTreeChanges(self._accounts, blobs=blobs, clock=clock)
        self.changes = SqlChanges(self._accounts)
        self.search = SqlSearch(self._accounts, blobs=blobs)
        self.sharing = SqlSharing(self._system, self._accounts, clock=clock)
        self.annotations = SqlAnnotations(self._accounts, clock=clock)
        self.upkeep = SqlUpkeep(self._accounts, premises=AccountRows(self._system), blobs=blobs)
        self.tokens = SqlTokens(self._system)
        self.crowds = SqlCrowds(self._system)
        self.trash = SqlTrash(self._system, remains, clock=clock, committed=self.accounts.recheck)

    async def install(self, token: Callable[[int], bytes]) -> None:
        """What every store has one of; and what connections of long ago left behind goes."""
        key = token(32)

        def work(transaction: Transaction) -> None:
            transaction.run(INSTALL, (key,))
            transaction.run(marks.FORGET)

        await self._system.write(work)

    async def now(self) -> Instant:
        (moment,) = await self._system.read(lambda connection: connection.one(NOW))
        return Instant(moment)

    async def sweep(self) -> int:
        """Removes blobs that no row names; returns how many went. Once a day is often enough."""
        return await self._blobs.collect(self._system, clock=self.clock)

    async def close(self) -> None:
        """Once what is being written is durable."""
        if self._is_closed:
            return
        self._is_closed = True
        for end_watch in self._end_watches:
            end_watch()
        await self._engine.close()
        self._blobs.close()


async def open_store(
    address: Address,
    *,
    blobs: Blobs,
    clock: Clock,
    bus: Bus,
    token: Callable[[int], bytes] = secrets.token_bytes,
    read_only: bool = False,
    limits: Limits | None = None,
    most_links: int = MOST,
    metrics: Metrics = UNCOUNTED,
) -> PostgresStore:
    """blobs: where large ones lie; closed with the store. read_only: for one who only looks; NotFound where there is no
    store, and nothing is made or changed.

    Raises Damaged, Unsupported (a newer schema), Forbidden (another program's database, missing rights), TryAgainLater.
    """
    await _prepare(address, read_only=read_only)
    engine = make_engine(
        address,
        clock=clock,
        publish=bus.publish,
        token=token,
        read_only=read_only,
        limits=limits,
        most_links=most_links,
        metrics=metrics,
    )
    store = PostgresStore(engine, blobs=blobs, clock=clock, token=token, bus=bus)
    try:
        if not read_only:
            await store.install(token)
    except BaseException:  # nobody else knows of the store yet
        await store.close()
        raise
    return store


def make_engine(
    address: Address,
    *,
    clock: Clock,
    publish: Callable[[str], None],
    token: Callable[[int], bytes] = secrets.token_bytes,
    read_only: bool = False,
    limits: Limits | None = None,
    most_links: int = MOST,
    metrics: Metrics = UNCOUNTED,
) -> Engine:
    """For a database whose schema is the newest. Nothing is connected yet."""
    return Engine(
        address.name,
        Pool(partial(_open_link, address, limits or Limits(), token), most=most_links),
        threads=ThreadPoolExecutor(LONG_AT_ONCE, thread_name_prefix="store"),
        blob_threads=ThreadPoolExecutor(BLOB_THREADS, thread_name_prefix="store-blobs"),
        clock=clock,
        publish=publish,
        is_read_only=read_only,
        metrics=metrics,
    )


def is_made(address: Address) -> bool:
    """Whether there is a store. Blocks. Raises TryAgainLater."""
    try:
        with psycopg.connect(address.conninfo, autocommit=True, connect_timeout=Limits().connect_s) as connection:
            return any(name == VERSION_TABLE for (name,) in connection.execute(LIST_TABLES))
    except psycopg.Error as fault:
        raise TryAgainLater(f"{address.name} cannot be used: {first_line(fault)}") from fault


async def _prepare(address: Address, *, read_only: bool) -> None:
    try:
        async with await psycopg.AsyncConnection.connect(
            address.conninfo, autocommit=True, connect_timeout=Limits().connect_s, application_name="mailstack"
        ) as connection:
            if read_only:
                await require_newest(connection, address, PARTS)
            else:
                await migrate(connection, address, PARTS)
    except psycopg.Error as fault:
        raise TryAgainLater(f"{address.name} cannot be used: {first_line(fault)}") from fault


async def _open_link(address: Address, limits: Limits, token: Callable[[int], bytes]) -> Link:
    return await open_link(address, limits, link_id=token(16).hex())
