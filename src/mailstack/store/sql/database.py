"""What the logic of the store asks of an engine: statements, transactions, and the databases that they run in.

Work is a plain function over a Connection or a Transaction, never async: one engine runs it where it was asked, another
in a greenlet that waits for the network. It may run more than once, when a transaction has to be tried again, so it has
no effect outside of it; what must happen outside is handed to Transaction.after_commit.

Statements have one text for all engines, in words that all understand; parameters are question marks. Where the rows of
an account lie in a database of their own (SQLite), nothing says whose they are. For where they do not, comments say
where the account stands in a statement on its tables, in each of which `account_id` is the first column of every key.

    /*of*/      before the first condition of a WHERE or ON: account_id = … AND; /*of m*/ of the table m
    /*whole*/   in place of a WHERE: WHERE account_id = …; /*whole m*/ of the table m
    /*key*/     before the first in a list of columns: account_id,
    /*value*/   before the first in the list of their values: …,
    /*+ …*/     these words, on PostgreSQL only: /*+ FOR UPDATE*/

What must be put another way altogether stands, under the text that it replaces, in the engine's own statements.py.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from mailstack.model.changes import LogHead
from mailstack.model.ids import AccountId

Value = None | int | float | str | bytes
Row = tuple[Any, ...]  # what a column holds is the statement's affair, and its reader's
Question = tuple[str, Sequence[Value]]
"""A statement and its values."""
Result = TypeVar("Result")


class Connection(Protocol):
    """Reads. Used by one thread at a time."""

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]: ...

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None: ...

    def one(self, sql: str, values: Sequence[Value] = ()) -> Row:
        """For statements that always give a row."""
        ...

    def ask(self, *questions: Question) -> list[list[Row]]:
        """The rows of each, in one round trip where there are any; in their order."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """What is read within is true of one moment."""
        ...


class Transaction(Protocol):
    """What a request's work is given: reads and writes that are durable together, and what follows once they are."""

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]: ...

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None: ...

    def one(self, sql: str, values: Sequence[Value] = ()) -> Row: ...

    def ask(self, *questions: Question) -> list[list[Row]]:
        """As Connection's: each sees what those before it have done."""
        ...

    def run(self, sql: str, values: Sequence[Value] = ()) -> None:
        """Its faults may come late, with a later statement or with the commit: no work catches them."""
        ...

    def run_many(self, sql: str, sequence: Iterable[Sequence[Value]]) -> None: ...

    def run_counted(self, sql: str, values: Sequence[Value] = ()) -> int:
        """How many rows it wrote."""
        ...

    def announce(self, topic: str) -> None:
        """Published on the bus after the commit."""
        ...

    def after_commit(self, step: Callable[[], None]) -> None:
        """Runs in a thread. It may be lost in a crash, so it only tidies up."""
        ...


Reading = Callable[[Connection], Result]
Work = Callable[[Transaction], Result]


class Database(Protocol):
    """The system's tables, or one account's."""

    @property
    def name(self) -> str:
        """For faults."""
        ...

    async def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """As read, of one statement."""
        ...

    async def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None: ...

    async def one(self, sql: str, values: Sequence[Value] = ()) -> Row: ...

    async def read(self, reading: Reading[Result]) -> Result:
        """Small and indexed: it may run on the loop."""
        ...

    async def read_long(self, reading: Reading[Result]) -> Result:
        """In a thread."""
        ...

    async def write(self, work: Work[Result], *, is_long: bool = False) -> Result:
        """Returns when it is durable. is_long: too long for the loop, from about a millisecond on.

        Raises what work raises; TryAgainLater when the database cannot be written."""
        ...

    async def in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        """The database stays open while it runs."""
        ...


class Databases(Protocol):
    """One for each account."""

    async def get(self, account_id: AccountId) -> Database:
        """Use what it gives before the next await: nothing else keeps it open. Raises NotFound."""
        ...

    async def heads(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, LogHead]:
        """Of those that there are: as ports.changes has it."""
        ...
