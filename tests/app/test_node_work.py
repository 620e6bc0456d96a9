"""Two nodes on one PostgreSQL: what one does, the other hears of, by NATS or without."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mailstack.app.build import Adapters, RunSettings, open_adapters
from mailstack.app.messages import Job
from mailstack.app.node_work import join_nodes
from mailstack.app.runfiles import run_folder
from mailstack.app.silence import QuietGenerations
from mailstack.app.store_address import NatsAt, StoreAddress
from mailstack.app.stores import local_bus
from mailstack.model.ids import AccountId, Generation
from mailstack.model.mailbox import MailboxRole
from mailstack.net.admission import Admission
from mailstack.ports.bus import GENERATION_TOPIC, account_topic
from tests.support.nats import NatsServer, running_nats
from tests.support.places import Peers
from tests.support.postgres import PostgresServer, fresh_database, running_postgres
from tests.support.stores import mailbox_with, make_account, new_message
from tests.support.wakes import Wakes, eventually, reach

LIMIT = 20
HOST = "192.0.2.1"


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(params=["nats", "notify"])
def events(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NatsServer | None]:
    if request.param == "notify":
        yield None
        return
    with running_nats(tmp_path) as server:
        yield server


class Node:
    """One worker of a node, and what its supervisor hears."""

    def __init__(self, adapters: Adapters, storage: StoreAddress) -> None:
        self.adapters = adapters
        self.storage = storage
        self.admission = Admission("smtp")
        self.peers = Peers(self.admission, limit=LIMIT)
        self.supervisor = Wakes()
        self.served = Generation(0)

    def admitted(self, attempts: int) -> int:
        return self.peers.admitted(HOST, attempts)


@pytest.fixture
async def nodes(database: str, events: NatsServer | None, tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    async with AsyncExitStack() as held:
        one, two = [await a_node(tmp_path / name, database, events, held) for name in ("one", "two")]
        yield one, two


async def a_node(folder: Path, database: str, events: NatsServer | None, held: AsyncExitStack) -> Node:
    run_folder(folder).mkdir(parents=True)
    at = None if events is None else NatsAt(servers=(events.url,), username="", password="", token="", ca="")
    storage = StoreAddress(folder=folder, database=database, nats=at)
    adapters = await open_adapters(
        RunSettings(storage=storage, job=Job(spec=""), trust_loopback=False, hold_outbound=False)
    )
    held.push_async_callback(adapters.close)
    node = Node(adapters, storage)
    work = join_nodes(adapters, storage, [node.admission], lambda: node.served)
    assert work is not None
    held.push_async_callback(work.end)
    supervisor = local_bus(storage)
    await supervisor.start()
    held.push_async_callback(supervisor.close)
    supervisor.watch(GENERATION_TOPIC, node.supervisor)
    return node


async def deliver(node: Node, account_id: AccountId) -> None:
    store = node.adapters.store
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message()])


async def test_who_waits_on_one_node_hears_of_mail_that_came_to_another(
    nodes: tuple[Node, Node], events: NatsServer | None
) -> None:
    one, two = nodes
    account_id = await make_account(one.adapters.store)
    woken = Wakes()
    two.adapters.bus.watch(account_topic(account_id), woken)
    await reach(one.adapters.bus, account_topic(account_id), woken)
    if events is not None:
        events.kill()  # from here on, nobody tells
    await deliver(one, account_id)
    seen = await two.adapters.store.changes.mod_seq(account_id)
    assert seen == await one.adapters.store.changes.mod_seq(account_id)
    before = woken.count
    await deliver(one, account_id)
    await eventually(lambda: woken.count > before)


async def test_the_other_supervisors_hear_of_what_is_applied(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    await make_account(one.adapters.store)
    await two.supervisor.wait()
    assert await two.adapters.store.state.generation() == 1


async def test_an_applier_tells_other_machines_and_not_its_own(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    one.served = Generation(10)
    heard = Wakes()
    two.adapters.bus.watch(GENERATION_TOPIC, heard)
    await reach(QuietGenerations(one.adapters.bus), GENERATION_TOPIC, heard)
    assert one.supervisor.count == 0


async def test_a_limit_holds_for_both_nodes_together(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    assert one.admitted(12) == 12
    await eventually(lambda: two.admission.elsewhere.get(f"smtp {HOST}") == 12)
    assert two.admitted(LIMIT) == LIMIT - 12


async def test_both_go_by_the_databases_clock(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    assert abs(one.adapters.clock() - two.adapters.clock()) < 10_000


async def test_a_machine_alone_has_nobody_to_join(tmp_path: Path) -> None:
    run_folder(tmp_path).mkdir(parents=True)
    storage = StoreAddress(folder=tmp_path)
    adapters = await open_adapters(
        RunSettings(storage=storage, job=Job(spec=""), trust_loopback=False, hold_outbound=False)
    )
    assert join_nodes(adapters, storage, [], lambda: Generation(0)) is None
    await adapters.close()
