"""How far `mailstack storage copy` has come, in a table of the store that it fills, which goes when the copy is whole.

While it is there the store is nobody's to serve: both engines' migrations refuse it by this table.
"""

from mailstack.store.sql.database import Database, Transaction

TABLE = "copy_progress"

# what: SOURCE, or an account that is done. said: of the source, which one it is; of an account, what is damaged in it.
MAKE = "CREATE TABLE copy_progress (what TEXT PRIMARY KEY, said TEXT NOT NULL)"
DROP = "DROP TABLE copy_progress"
PUT = """INSERT INTO copy_progress (what, said) VALUES (?, ?)
    ON CONFLICT (what) DO UPDATE SET said = excluded.said"""
LIST = "SELECT what, said FROM copy_progress"
FORGET = "DELETE FROM copy_progress WHERE what = ?"

SOURCE = "source"


def refusal(name: str) -> str:
    return (
        f"{name} holds a copy that is not finished: run `mailstack storage copy` again with the same two specs, and it"
        " goes on where it ended"
    )


async def begin(system: Database, source: str) -> None:
    def work(transaction: Transaction) -> None:
        transaction.run(MAKE)
        transaction.run(PUT, (SOURCE, source))

    await system.write(work)


async def read(system: Database) -> dict[str, str]:
    return dict(await system.rows(LIST))


async def note(system: Database, what: str, said: str) -> None:
    await system.write(lambda transaction: transaction.run(PUT, (what, said)))


async def forget(system: Database, what: str) -> None:
    await system.write(lambda transaction: transaction.run(FORGET, (what,)))


async def end(system: Database) -> None:
    """From here on the store may be served."""
    await system.write(lambda transaction: transaction.run(DROP))
