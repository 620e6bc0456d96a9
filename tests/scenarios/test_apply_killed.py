"""An apply that is killed at any step, on a real BIND 9: the next one finishes it, and a third has nothing to do."""

import asyncio
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.plan import Plan
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.load import load_spec
from tests.scenarios.test_dns_bind import FOREIGN, HEAD
from tests.support.bind import Bind, SetKey, running_bind
from tests.support.engines import open_store, storage_section
from tests.support.killed_apply import KILL_AFTER_UPDATES, KILL_AT_STATEMENT, apply
from tests.support.sandbox import run_client

pytestmark = pytest.mark.slow

ZONES = ("example.test", "second.test")
SPEC = """\
server: {{hostname: mail.example.test, addresses: ["{address}"]}}
{storage}
domains: {{{domains}}}
accounts: {{alice@example.test: {{password: file/password}}}}
dns:
  providers:
    bind: {{class: tests.support.killed_apply.OneByOne, host: 127.0.0.1, port: {port}, key_name: mailstack,
           key_secret: file/tsig, key_algorithm: hmac-sha256}}
  zones: {{{zones}}}
"""


@dataclass(frozen=True, kw_only=True)
class House:
    bind: Bind
    spec: Path
    foreign: Mapping[SetKey, object]

    def write(self, *, address: str = "192.0.2.25", password: str = "one", zones: tuple[str, ...] = ZONES) -> None:
        providers = ", ".join(f"{zone}: {{provider: bind}}" for zone in zones)
        domains = ", ".join(f"{zone}: {{dkim: {{algorithms: [ed25519]}}}}" for zone in zones or ZONES)
        self.spec.write_text(
            SPEC.format(
                address=address, domains=domains, port=self.bind.port, zones=providers, storage=storage_section()
            )
        )
        (self.spec.parent / "password").write_text(password)

    def apply(self) -> None:
        asyncio.run(apply(self.spec.parent / "state", self.spec, "never"))

    def killed(self, step: str = "never", **environment: str) -> int:
        command = [sys.executable, "-m", "tests.support.killed_apply", str(self.spec.parent / "state"), str(self.spec)]
        ended = run_client([*command, step], **environment)
        assert b"Traceback" not in ended.stderr, ended.stderr.decode()
        return ended.returncode

    def plan(self) -> Plan:
        return asyncio.run(self._plan())

    async def _plan(self) -> Plan:
        store = await open_store(self.spec.parent / "state", clock=system_clock, bus=Silence(), read_only=True)
        try:
            brake = Brake(holders=nobody)
            reconciler = Reconciler(state=store.state, clock=system_clock, hash_password=str, brake=brake)
            return (await reconciler.plan(load_spec(self.spec))).plan
        finally:
            await store.close()

    def records(self) -> dict[SetKey, tuple[int, tuple[str, ...]]]:
        return {key: held for zone in ZONES for key, held in self.bind.records(zone).items()}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "bind").mkdir()
    with running_bind(tmp_path / "bind", {ZONES[0]: HEAD + FOREIGN, ZONES[1]: HEAD}) as bind:
        spec = tmp_path / "mailstack.yaml"
        (tmp_path / "tsig").write_text(bind.secret)
        foreign = {key: held for zone in ZONES for key, held in bind.records(zone).items()}
        found = House(bind=bind, spec=spec, foreign=foreign)
        found.write()
        yield found


def check_finished(house: House) -> None:
    """After the next apply: nothing is left to do, and what was there before mailstack is as it was."""
    house.apply()
    assert house.plan().changes == ()
    now = house.records()
    assert {key: now.get(key) for key in house.foreign} == house.foreign


STEPS = ("Made", "hashing", "PasswordHashed", "StateCommitted", "ZoneWritten", "ZoneVerified")


@pytest.mark.parametrize("step", STEPS)
def test_a_first_apply_that_is_killed_is_finished_by_the_next(house: House, step: str) -> None:
    assert house.killed(step) == -signal.SIGKILL
    check_finished(house)


@pytest.mark.parametrize("updates", ["1", "4", "9"])
def test_in_the_middle_of_a_zone_nothing_of_ours_is_left_without_its_mark(house: House, updates: str) -> None:
    assert house.killed(**{KILL_AFTER_UPDATES: updates}) == -signal.SIGKILL
    check_finished(house)
    # Were something not marked as ours, it would stay when the zones leave the spec.
    house.write(zones=())
    house.apply()
    before_us = {key: held[1] for key, held in house.foreign.items()}  # type: ignore[index]  # ttl and values
    assert {key: held[1] for key, held in house.records().items()} == before_us


@pytest.mark.parametrize("step", ["hashing", "StateCommitted", "ZoneWritten", "ZoneVerified"])
def test_a_change_that_is_killed_is_finished_by_the_next(house: House, step: str) -> None:
    house.apply()
    house.write(address="192.0.2.26", password="two")
    assert house.killed(step) == -signal.SIGKILL
    check_finished(house)
    assert house.bind.records(ZONES[0])["mail.example.test", "A"][1] == ("192.0.2.26",)


def test_a_zone_that_leaves_and_is_killed_in_between_is_emptied_by_the_next(house: House) -> None:
    house.apply()
    house.write(zones=ZONES[:1])
    assert house.killed(**{KILL_AFTER_UPDATES: "3"}) == -signal.SIGKILL
    check_finished(house)
    assert {key for key in house.records() if key[0].endswith(ZONES[1])} == {
        key for key in house.foreign if key[0].endswith(ZONES[1])
    }


STATEMENTS = ("1", "2", "7", "COMMIT")


@pytest.mark.parametrize("statement", STATEMENTS)
def test_within_the_transaction_of_the_state_nothing_of_it_is_there_and_the_next_apply_does_it(
    house: House, statement: str
) -> None:
    assert house.killed(**{KILL_AT_STATEMENT: statement}) == -signal.SIGKILL
    left = house.plan()
    assert left.generation == 0
    assert "account alice@example.test" in {f"{change.kind} {change.name}" for change in left.changes}
    assert house.records().keys() == house.foreign.keys()
    check_finished(house)


@pytest.mark.parametrize("statement", STATEMENTS[:2] + STATEMENTS[-1:])
def test_within_the_transaction_of_a_change_the_former_state_stands_whole(house: House, statement: str) -> None:
    house.apply()
    before = house.plan()
    house.write(address="192.0.2.26", password="two")
    assert house.killed(**{KILL_AT_STATEMENT: statement}) == -signal.SIGKILL
    assert house.plan().generation == before.generation
    assert house.bind.records(ZONES[0])["mail.example.test", "A"][1] == ("192.0.2.25",)
    check_finished(house)
    assert house.bind.records(ZONES[0])["mail.example.test", "A"][1] == ("192.0.2.26",)
