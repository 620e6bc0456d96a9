"""Opens the embedded store of one process: threads, system.db, and the ports over them."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId
from mailstack.model.instant import Clock, Instant
from mailstack.ports.bus import GENERATION_TOPIC, Bus
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.store.sql.accounts import SqlAccounts
from mailstack.store.sql.acquaintances import SqlAcquaintances
from mailstack.store.sql.annotations import SqlAnnotations
from mailstack.store.sql.app_passwords import SqlAppPasswords
from mailstack.store.sql.bad_addresses import SqlBadAddresses
from mailstack.store.sql.bans import SqlBans
from mailstack.store.sql.challenges import SqlChallenges
from mailstack.store.sql.changes import SqlChanges
from mailstack.store.sql.database import Result
from mailstack.store.sql.email_submissions import SqlEmailSubmissions
from mailstack.store.sql.emails import SqlEmails
from mailstack.store.sql.finding import SqlSearch
from mailstack.store.sql.greylist import SqlGreylist
from mailstack.store.sql.hand_notes import SqlHandNotes
from mailstack.store.sql.issuance import SqlIssuance
from mailstack.store.sql.locks import SqlLocks
from mailstack.store.sql.mailboxes import ANY, SqlMailboxes, make_standard_mailboxes
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
from mailstack.store.sqlite import schema_system
from mailstack.store.sqlite.blobs import FolderBlobs
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import AccountDatabases, Database, open_migrated
from mailstack.store.sqlite.discarding import move_to_trash
from mailstack.store.sqlite.remains import FolderRemains
from mailstack.store.sqlite.upkeep import AccountFiles
from mailstack.store.sqlite.writer import Transaction, WritableFile, Writer

WRITER_THREADS = 2
READER_THREADS = 4

INSTALL = "INSERT INTO installation (only_row, digest_key) VALUES (1, ?) ON CONFLICT DO NOTHING"
ACCOUNT_EXISTS = "SELECT 1 FROM account WHERE account_id = ?"


class SqliteStore:
    """Every port, on one folder. Opened after the fork, used on one loop."""

    def __init__(self, path: Path, *, clock: Clock, token: Callable[[int], bytes], files: "_Files") -> None:
        blobs = FolderBlobs(path, token=token)
        self._path = path
        self.clock = clock
        self._blobs = blobs
        self._files = files
        remains = FolderRemains(path, files.system, tidy=files.tidy)
        self.accounts = SqlAccounts(files.system)
        files.watch_generations(self.accounts.recheck)
        self.verifiers = SqlVerifiers(files.system)
        self.app_passwords = SqlAppPasswords(files.system)
        self.web_sessions = SqlWebSessions(files.system)
        self.state = SqlState(
            files.system, clock=clock, token=token, discard=remains.discard, committed=self.accounts.recheck
        )
        self.mailboxes = SqlMailboxes(files.accounts, blobs=blobs, clock=clock)
        self.messages = SqlMessages(files.accounts, blobs=blobs, clock=clock)
        self.emails = SqlEmails(files.accounts, blobs=blobs, clock=clock)
        self.tree_changes = SqlTreeChanges(files.accounts, blobs=blobs, clock=clock)
        self.changes = SqlChanges(files.accounts)
        self.search = SqlSearch(files.accounts, blobs=blobs)
        self.queue = SqlQueue(files.system, blobs=blobs.of_queue(), clock=clock)
        self.email_submissions = SqlEmailSubmissions(files.system, self.queue)
        self.object_journal = SqlObjectJournal(files.system)
        self.sending_identities = SqlSendingIdentities(files.system, clock=clock)
        self.uploads = SqlUploads(files.system, blobs=blobs.of_queue())
        self.push_subscriptions = SqlPushSubscriptions(files.system)
        self.locks = SqlLocks(files.system)
        self.challenges = SqlChallenges(files.system, clock=clock)
        self.bans = SqlBans(files.system)
        self.greylist = SqlGreylist(files.system)
        self.bad_addresses = SqlBadAddresses(files.system)
        self.sts_policies = SqlStsPolicies(files.system)
        self.unsubscribed = SqlUnsubscribed(files.system)
        self.submitted = SqlSubmitted(files.system)
        self.warm_days = SqlWarmDays(files.system)
        self.hand_notes = SqlHandNotes(files.system)
        self.scripts = SqlScripts(files.system, clock=clock, token=token)
        self.vacations = SqlVacations(files.system, clock=clock)
        self.sieve_memory = SqlSieveMemory(files.system)
        self.reputation = SqlReputation(files.system)
        self.acquaintances = SqlAcquaintances(files.system)
        self.spam_lessons = SqlSpamLessons(files.system, clock=clock)
        self.spam_tables = SqlSpamTables(files.system)
        self.crowds = None  # there are no other nodes
        self.tokens = SqlTokens(files.system)
        self.issuance = SqlIssuance(files.system)
        self.sharing = SqlSharing(files.system, files.accounts, clock=clock)
        self.annotations = SqlAnnotations(files.accounts, clock=clock)
        premises = AccountFiles(path, files.system, files.accounts)
        self.upkeep = SqlUpkeep(files.accounts, premises=premises, blobs=blobs)
        self.trash = SqlTrash(files.system, remains, clock=clock, committed=self.accounts.recheck)

    async def now(self) -> Instant:
        return self.clock()

    async def sweep(self) -> int:
        """Removes files that a crash left without a row; returns how many. Once a day is often enough."""
        return await self._blobs.collect(self._files.system, clock=self.clock)

    async def close(self) -> None:
        """Once what is being written is durable."""
        await self._files.close()
        self._blobs.close()


async def open_store(
    path: Path,
    *,
    clock: Clock,
    bus: Bus,
    token: Callable[[int], bytes] = secrets.token_bytes,
    read_only: bool = False,
    metrics: Metrics = UNCOUNTED,
) -> SqliteStore:
    """read_only: for one who only looks; NotFound where there is no store, and not a file is made or changed.

    Raises Damaged, Unsupported (a newer schema), TryAgainLater (a folder that cannot be written, a full disk).
    """
    files = _Files(path, clock=clock, bus=bus, metrics=metrics)
    try:
        await (files.look() if read_only else files.open(token))
    except BaseException:
        await files.close()
        raise
    return SqliteStore(path, clock=clock, token=token, files=files)


class _Files:
    """What has to be closed again."""

    system: Database
    accounts: AccountDatabases

    def __init__(self, path: Path, *, clock: Clock, bus: Bus, metrics: Metrics) -> None:
        self._path = path
        self._metrics = metrics
        self._clock = clock
        self._bus = bus
        self._threads = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="store-reader")
        self._writer: Writer | None = None
        self._closers: list[Callable[[], None]] = []
        self._end_watches: list[Callable[[], None]] = []
        self._end_rest: Callable[[], None] = _nothing
        self._is_closed = False

    async def open(self, token: Callable[[int], bytes]) -> None:
        connection = await self._in_thread(partial(self._open_system, token))
        self._writer = Writer(threads=WRITER_THREADS, publish=self._bus.publish, metrics=self._metrics)
        writable = WritableFile(connection, page_size=schema_system.PAGE_SIZE)
        self._add(
            Database(
                connection.path, schema_system.MIGRATIONS, threads=self._threads, writer=self._writer, writable=writable
            )
        )
        self.watch_generations(self.accounts.forget_gone)

    async def look(self) -> None:
        path = self._path / "system.db"
        if not path.exists():
            raise NotFound(f"there is no store in {self._path}")
        self._add(Database(path, schema_system.MIGRATIONS, threads=self._threads, writer=None, writable=None))
        self.system.reader()  # which looks at its version

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        for end_watch in self._end_watches:
            end_watch()
        self._end_rest()
        if self._writer is not None:
            await self._writer.close()
        for close in reversed(self._closers):
            await self._in_thread(close)
        await asyncio.to_thread(self._threads.shutdown)

    def watch_generations(self, wake: Callable[[], None]) -> None:
        self._end_watches.append(self._bus.watch(GENERATION_TOPIC, wake))

    def tidy(self) -> None:
        """In a writer's thread, with a connection of its own: the read connection is the loop's."""
        connection = Connection(self._path / "system.db", Access.READ)
        try:
            move_to_trash(self._path, connection)
        finally:
            connection.close()

    def _add(self, system: Database) -> None:
        self.system = system
        self._closers.append(system.close)
        self.accounts = AccountDatabases(
            self._path, threads=self._threads, writer=self._writer, exists=self._exists, prepare=self._prepare
        )
        self._end_rest = self.accounts.stop_resting
        self._closers.append(self.accounts.close)

    def _open_system(self, token: Callable[[int], bytes]) -> Connection:
        path = self._path / "system.db"
        connection = open_migrated(path, schema_system.MIGRATIONS, page_size=schema_system.PAGE_SIZE)
        try:
            connection.run(INSTALL, (token(32),))
            move_to_trash(self._path, connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _exists(self, account_id: AccountId) -> bool:
        return self.system.reader().row(ACCOUNT_EXISTS, (account_id,)) is not None

    def _prepare(self, connection: Connection) -> None:
        if connection.row(ANY) is not None:
            return
        connection.begin()
        try:
            make_standard_mailboxes(Transaction(connection), self._clock())
            connection.run("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.run("ROLLBACK")
            raise

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _nothing() -> None:
    """There is nothing to end yet."""
