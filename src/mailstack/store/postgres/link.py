"""One connection to PostgreSQL, by libpq in pipeline mode: many statements go out at once and cost one round trip.

Below psycopg's cursors: those wait for each answer, and cost as much CPU as all of the rest. What is sent is prepared
at its first use. Values go as text or as plain octets, without a type: the server takes the one that the statement
gives them, and every answer comes in binary.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.conninfo import conninfo_to_dict

from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.store.postgres.dialect import Statement
from mailstack.store.postgres.faults import Lost, Refused, fault_of
from mailstack.store.sql.database import Row, Value

TEXT, BINARY = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    connect_s: int = 10
    answer_s: float = 30.0
    """The longest that is waited for the answers to what is sent at once."""
    lives_s: float = 3600.0
    """So that connections spread over the servers behind one name, and marks.py may forget old ones."""
    held_s: int = 60
    """So long may a transaction stand still before the server ends it: what a node that was cut off has locked is free
    again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """name: what a fault may say of it, so nothing of the password. database: its name on the server."""

    conninfo: str = field(repr=False)
    name: str
    database: str


class Asked(NamedTuple):
    """A statement and its values, as they go out. formats: None where all are texts."""

    statement: Statement
    values: list[bytes | None]
    formats: list[int] | None


class Answer(NamedTuple):
    """written: how many rows. tag: the command that was carried out."""

    rows: list[Row]
    written: int
    tag: bytes


def address_of(conninfo: str) -> Address:
    """conninfo: postgresql://…, or libpq's keywords. Raises ValueError, which says nothing of what stands in it."""
    try:
        parts = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        raise ValueError("not an address of a PostgreSQL database: postgresql://user:password@host/name") from None
    where = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
    user, name = str(parts.get("user", "")), str(parts.get("dbname", parts.get("user", "")))
    return Address(conninfo=conninfo, name=f"the PostgreSQL database {name} of {user} on {where}", database=name)


def asked(statement: Statement, account_id: str | None, values: Sequence[Value]) -> Asked:
    """Raises Invalid for a text that PostgreSQL does not keep."""
    octets: list[bytes | None] = []
    if statement.takes_account:
        if account_id is None:
            raise Refused(f"an account's statement on the system's side: {statement.text.decode()}")
        octets.append(account_id.encode())
    has_octets = False
    for value in values:
        if type(value) is bytes:
            has_octets = True
            octets.append(value)
        else:
            octets.append(_text(value))
    if not has_octets:
        return Asked(statement, octets, None)
    formats = [BINARY if type(value) is bytes else TEXT for value in values]
    return Asked(statement, octets, [TEXT, *formats] if statement.takes_account else formats)


def _text(value: Value) -> bytes | None:
    match value:
        case int():  # and True and False, which are 1 and 0 in every column
            return b"%d" % value
        case str():
            if "\0" in value:  # which would end it on its way
                raise Invalid("a text holds a NUL, which this server's database does not keep")
            return value.encode()
        case float():
            return repr(value).encode()
        case _:
            return value


class Link:
    """Used by one caller at a time. Once anything but an answer comes out of it, it is closed.

    marks: the transactions that it has committed, as marks.py counts them."""

    def __init__(self, connection: psycopg.AsyncConnection, address: Address, limits: Limits, *, link_id: str) -> None:
        self.address = address
        self._limits = limits
        self._connection = connection
        self._libpq = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._socket = self._libpq.socket
        self._loaders = Transformer(connection)
        self._prepared: dict[bytes, bytes] = {}
        self._opened_s = self.idle_since_s = self._loop.time()
        self._link_id = link_id
        self.marks = 0
        self._unread = 0
        self._is_closed = False
        self._results: list[pq.abc.PGresult] = []
        self._is_between = False
        self._all_in: asyncio.Future[None] | None = None
        self._give_up_at_s = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._libpq.nonblocking = 1
        self._libpq.enter_pipeline_mode()
        # For good: to register it for each answer costs as much as to read one.
        self._loop.add_reader(self._socket, self._take_in)

    @property
    def is_open(self) -> bool:
        return not self._is_closed and self._libpq.status == pq.ConnStatus.OK

    @property
    def is_old(self) -> bool:
        return self._loop.time() - self._opened_s > self._limits.lives_s

    def next_mark(self) -> tuple[str, int]:
        """Of the transaction that is about to be written."""
        return self._link_id, self.marks + 1

    async def roll_back(self) -> None:
        """Without waiting for the answer, which the next exchange passes over. Nothing to worry about when the
        connection is gone: the server undoes it then as well."""
        if not self.is_open:
            return
        try:
            self._libpq.send_query_params(b"ROLLBACK", None)
            self._libpq.pipeline_sync()
            self._libpq.flush()
        except psycopg.Error:
            self.close()
        else:
            self._unread += 1

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._libpq.finish()

    async def exchange(self, batch: Sequence[Asked], *, wanted: int = 1) -> list[Answer]:
        """Sends all at once; gives what the last of them answer, as many as are wanted. Raises what the first one meets
        that fails, after which the server has passed over the others."""
        results: list[pq.abc.PGresult] = []
        self._results = results
        self._all_in = all_in = self._loop.create_future()
        self._set_alarm()
        try:
            fresh = self._send(batch)
            while self._libpq.flush():
                await self._writable(all_in)
            await all_in
        except psycopg.Error as fault:
            self.close()
            raise Lost(first_line(fault)) from fault
        except BaseException:  # answers that nobody waits for any more would be taken for those of the next
            self.close()
            raise
        finally:
            self._all_in = None
        return self._answers(results, fresh, wanted)

    def _send(self, batch: Sequence[Asked]) -> dict[int, bytes]:
        """What it prepares on the way: statements, by the place of the answer that says that they are."""
        libpq = self._libpq
        fresh: dict[int, bytes] = {}
        names: dict[bytes, bytes] = {}
        place = 0
        for statement, values, formats in batch:
            text = statement.text
            name = self._prepared.get(text) or names.get(text)
            if name is None:
                name = names[text] = self._name(len(self._prepared) + len(names))
                libpq.send_prepare(name, text)
                fresh[place] = text
                place += 1
            libpq.send_query_prepared(name, values, formats, BINARY)
            place += 1
        libpq.pipeline_sync()
        return fresh

    def _name(self, number: int) -> bytes:
        # As nobody else's: behind a pooler that changes connections, another's statement must not be taken for it.
        return b"%b_%d" % (self._link_id.encode(), number)

    async def _writable(self, all_in: "asyncio.Future[None]") -> None:
        """Raises what ends the exchange meanwhile."""
        # A server whose answers are not taken stops to read: meanwhile _take_in takes them.
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(self._socket, _wake, ready)
        try:
            await asyncio.wait((ready, all_in), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self.is_open:
                self._loop.remove_writer(self._socket)
        if all_in.done():
            all_in.result()

    def _take_in(self) -> None:
        """Whenever something comes, also while nobody waits: then it is the server that says goodbye."""
        libpq = self._libpq
        try:
            libpq.consume_input()
            while not libpq.is_busy():
                if not self._take(libpq.get_result()):
                    return
        except psycopg.Error as fault:
            self._end(Lost(first_line(fault)))

    def _take(self, result: pq.abc.PGresult | None) -> bool:
        """Whether there may be more: each answer ends with None, and all that was sent at once with a mark."""
        if result is None:
            is_over, self._is_between = self._is_between, True
            if is_over and self._all_in is not None:
                self._end(Lost("the connection ended"))
            return not is_over
        self._is_between = False
        if result.status != pq.ExecStatus.PIPELINE_SYNC:
            self._results.append(result)
        elif self._unread:
            self._unread -= 1
            self._results.clear()
        elif self._all_in is not None:
            _wake(self._all_in)
            return False
        return True

    def _set_alarm(self) -> None:
        """One for many exchanges: to set and unset one for each costs as much as to read an answer."""
        self._give_up_at_s = self._loop.time() + self._limits.answer_s
        if self._alarm is None:
            self._alarm = self._loop.call_at(self._give_up_at_s, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._alarm = None
        if self._all_in is None:
            return
        if self._loop.time() < self._give_up_at_s:
            self._alarm = self._loop.call_at(self._give_up_at_s, self._look_at_clock)
        else:
            self._end(Lost(f"no answer within {self._limits.answer_s:g} s"))

    def _end(self, fault: Lost) -> None:
        self.close()
        if self._all_in is not None and not self._all_in.done():
            self._all_in.set_exception(fault)

    def _answers(self, results: Sequence[pq.abc.PGresult], fresh: dict[int, bytes], wanted: int) -> list[Answer]:
        asked_for: list[pq.abc.PGresult] = []
        for place, result in enumerate(results):
            if result.status in _FAILED:
                raise self._fault(result)
            if place in fresh:
                self._prepared[fresh[place]] = self._name(len(self._prepared))
            else:
                asked_for.append(result)
        return [self._answer(result) for result in asked_for[-wanted:]]

    def _answer(self, result: pq.abc.PGresult) -> Answer:
        if result.status == pq.ExecStatus.TUPLES_OK:
            self._loaders.set_pgresult(result)
            return Answer(self._loaders.load_rows(0, result.ntuples, tuple), result.ntuples, b"SELECT")
        return Answer([], result.command_tuples or 0, result.command_status or b"")

    def _fault(self, result: pq.abc.PGresult) -> Exception:
        code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        text = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
        fault = fault_of(code, text, self.address.name)
        if isinstance(fault, Lost):
            self.close()
        return fault


async def open_link(address: Address, limits: Limits, *, link_id: str) -> Link:
    """Raises Lost where nobody answers, TryAgainLater where the server says no."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            address.conninfo,
            autocommit=True,
            connect_timeout=limits.connect_s,
            application_name="mailstack",
            client_encoding="UTF8",
        )
    except psycopg.OperationalError as fault:
        if fault.sqlstate is not None and not fault.sqlstate.startswith(("08", "57P0", "53")):
            raise TryAgainLater(f"{address.name} does not let this server in: {first_line(fault)}") from fault
        raise Lost(first_line(fault)) from fault
    try:
        for setting, value in (
            ("statement_timeout", f"{int(limits.answer_s * 1000)}"),
            ("idle_in_transaction_session_timeout", f"{limits.held_s * 1000}"),
            ("default_transaction_isolation", "read committed"),
            # As on an SSD: what is asked for by its key is read by its key, and not with all else of the account.
            ("random_page_cost", "1.1"),
        ):
            await connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
    except BaseException as fault:  # whoever wanted it may be gone, and then nobody else knows of the connection
        await connection.close()
        if isinstance(fault, psycopg.Error):
            raise Lost(first_line(fault)) from fault
        raise
    return Link(connection, address, limits, link_id=link_id)


def first_line(fault: psycopg.Error) -> str:
    """libpq goes on to guess at reasons."""
    return str(fault).partition("\n")[0]


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


_FAILED = frozenset({pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE, pq.ExecStatus.NONFATAL_ERROR})
