"""Whether a database can be used: what is wrong is told with what to do about it, and nothing is changed."""

from mailstack.app.clock import system_clock
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.probe import probed
from mailstack.store.probing import Finding
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer


async def findings(url: str, *, skew_ms: int = 0) -> list[Finding]:
    def clock() -> Instant:
        return Instant(system_clock() + skew_ms)

    return [each async for each in probed(address_of(url), clock=clock)]


def faulty(found: list[Finding]) -> dict[str, Finding]:
    return {each.what: each for each in found if each.fault}


async def test_an_empty_database_is_fine_and_stays_empty(postgres: PostgresServer, empty_database: str) -> None:
    found = await findings(empty_database)
    assert len(found) == 9
    assert {what for what, each in faulty(found).items() if each.is_needed} == set()
    tables = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'public'"
    assert postgres.run(tables, database=empty_database.rpartition("/")[2]) == []


async def test_nobody_there() -> None:
    port = free_port()
    (found,) = await findings(f"postgresql://mailstack:hush@127.0.0.1:{port}/mail")
    assert "cannot be used" in found.fault
    assert "hush" not in found.fault


async def test_another_programs_tables(postgres: PostgresServer, empty_database: str) -> None:
    postgres.run("CREATE TABLE customers (name TEXT)", database=empty_database.rpartition("/")[2])
    assert "tables of another program" in faulty(await findings(empty_database))["its tables"].fault


async def test_a_read_only_database(postgres: PostgresServer, empty_database: str) -> None:
    name = empty_database.rpartition("/")[2]
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert faulty(await findings(empty_database))["write to it"].fault == "it is read-only"


async def test_a_user_who_may_make_no_tables(postgres: PostgresServer, empty_database: str) -> None:
    name = empty_database.rpartition("/")[2]
    postgres.run("CREATE ROLE guest LOGIN")
    try:
        postgres.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database=name)
        found = faulty(await findings(empty_database.replace("mailstack@", "guest@")))
        assert "GRANT CREATE ON SCHEMA" in found["make tables"].remedy
    finally:
        postgres.run("DROP ROLE guest")


async def test_a_server_that_may_lose_what_it_committed(empty_database: str) -> None:
    """As that of these tests is set."""
    warned = faulty(await findings(empty_database))["keep what was committed"]
    assert (warned.fault, warned.is_needed) == ("fsync is off, synchronous_commit is off", False)


async def test_a_clock_that_is_wrong(empty_database: str) -> None:
    found = faulty(await findings(empty_database, skew_ms=HOUR_MS))["its clock"]
    assert "behind this machine's" in found.fault
    assert not found.is_needed
