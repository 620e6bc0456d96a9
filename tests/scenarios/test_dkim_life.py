"""Signing keys on a real name server: BIND 9 takes the records, and is asked whether it shows them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailstack.model.instant import DAY_MS
from mailstack.model.resource import Kind, Rotation
from mailstack.reconcile.awaiting import CarriedOut, carry_out
from mailstack.reconcile.brake import EVERYTHING_ALLOWED, Brake, nobody
from mailstack.reconcile.dns.authoritative import authoritative_dns
from mailstack.reconcile.progress import Event, RecordsAwaited
from mailstack.reconcile.providers.keys import live_keys
from mailstack.reconcile.providers.rotation import ask_rotation
from mailstack.reconcile.reconciler import Reconciler
from tests.support.bind import Bind, running_bind
from tests.support.commands import run_command
from tests.support.engines import storage_section
from tests.support.fake_clock import FakeClock
from tests.support.memory_state import MemoryState
from tests.support.sandbox import free_base_port, wait_for
from tests.support.serving import serving_spec
from tests.support.specs import SpecValue, spec_value

pytestmark = pytest.mark.slow

ZONE = "example.test"
HEAD = """$TTL 300
@ IN SOA ns1 host 1 3600 600 604800 300
@ IN NS ns1
ns1 IN A 192.0.2.53
"""
DEAD = "127.0.0.1:1"


@dataclass(kw_only=True)
class Scene:
    """A server and its primary name server; a secondary that takes nothing over unless a test does it."""

    primary: Bind
    secondary: Bind
    asked: Sequence[str]
    dmarc: Mapping[str, object] = field(default_factory=dict)
    state: MemoryState = field(default_factory=MemoryState)
    clock: FakeClock = field(default_factory=FakeClock)
    events: list[Event] = field(default_factory=list)

    async def apply(self) -> CarriedOut:
        prepared = await self.reconciler.plan(self.spec)
        return await carry_out(self.reconciler, self.spec, prepared, self.events.append, (0.0, 0.2, 0.5))

    async def states(self) -> dict[str, str]:
        keys = live_keys(await self.state.snapshot((Kind.DKIM_KEY,)))
        return {key.selector: key.state for key in keys}

    def selectors(self, bind: Bind) -> set[str]:
        """Of the keys that it shows; markers of ownership are named otherwise."""
        names = (name for name, record_type in bind.records(ZONE) if record_type == "TXT")
        return {name.partition(".")[0] for name in names if name.startswith("ed25519-")}

    def transfer(self) -> None:
        for (name, record_type), (ttl, values) in self.primary.records(ZONE).items():
            if "._domainkey." in name or name.startswith("_dmarc."):
                self.secondary.replace(ZONE, f"{name}.", ttl, record_type, *values)

    async def warnings(self, word: str) -> list[str]:
        plan = (await self.reconciler.plan(self.spec)).plan
        return [f"{item.subject} {item.text}" for item in plan.warnings if word in item.text]

    def ask_both(self) -> str:
        """Returns how the secondary is named in plans."""
        self.asked = [f"127.0.0.1:{bind.port}" for bind in (self.primary, self.secondary)]
        return self.asked[1]

    @property
    def spec(self) -> SpecValue:
        zone = {"provider": "bind", "ttl": 300, "nameservers": list(self.asked)}
        dns = {"providers": {"bind": self.primary.provider()}, "zones": {ZONE: zone}}
        domain = {"dkim": {"algorithms": ["ed25519"]}, "dmarc": self.dmarc}
        server = {"hostname": f"mail.{ZONE}", "addresses": ["192.0.2.25"]}
        return spec_value({"server": server, "domains": {ZONE: domain}, "dns": dns})

    @property
    def reconciler(self) -> Reconciler:
        return Reconciler(
            state=self.state,
            clock=self.clock,
            hash_password=str,
            brake=Brake(holders=nobody, allowed=EVERYTHING_ALLOWED),
            live_dns=authoritative_dns(self.spec.spec),
        )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    folders = [tmp_path / name for name in ("primary", "secondary")]
    for folder in folders:
        folder.mkdir()
    with running_bind(folders[0], {ZONE: HEAD}) as primary, running_bind(folders[1], {ZONE: HEAD}) as secondary:
        yield Scene(primary=primary, secondary=secondary, asked=[f"127.0.0.1:{primary.port}"])


async def test_one_apply_publishes_looks_and_signs(scene: Scene) -> None:
    done = await scene.apply()
    assert (await scene.states(), done.waiting) == ({"ed25519-1": "signs"}, ())
    assert RecordsAwaited(seen=1, total=1) in scene.events
    assert (await scene.reconciler.plan(scene.spec)).plan.is_empty


async def test_a_rotation_has_two_records_until_no_mail_needs_the_old_one(scene: Scene) -> None:
    await scene.apply()
    await ask_rotation(scene.state, ZONE, (), Rotation.ASKED)
    await scene.apply()
    assert await scene.states() == {"ed25519-1": "retired", "ed25519-4": "signs"}
    assert scene.selectors(scene.primary) == {"ed25519-1", "ed25519-4"}
    scene.clock.advance(5 * DAY_MS)
    assert (await scene.reconciler.plan(scene.spec)).plan.is_empty
    scene.clock.advance(DAY_MS)
    await scene.apply()
    assert await scene.states() == {"ed25519-4": "signs"}
    assert scene.selectors(scene.primary) == {"ed25519-4"}


async def test_a_secondary_that_lags_is_waited_for_and_a_dead_one_is_not(scene: Scene) -> None:
    scene.asked = [f"127.0.0.1:{scene.primary.port}", f"127.0.0.1:{scene.secondary.port}", DEAD]
    done = await scene.apply()
    assert done.waiting == (f"ed25519-1._domainkey.{ZONE}",)
    (warning,) = [item for item in (await scene.reconciler.plan(scene.spec)).plan.warnings if "signs once" in item.text]
    assert f"127.0.0.1:{scene.secondary.port} does not have it" in warning.text
    scene.transfer()
    await scene.apply()
    assert await scene.states() == {"ed25519-1": "signs"}


async def test_a_rotation_waits_for_a_server_that_answers_old_and_the_plan_says_for_which(scene: Scene) -> None:
    secondary = scene.ask_both()
    await scene.apply()
    scene.transfer()
    await scene.apply()
    assert await scene.states() == {"ed25519-1": "signs"}
    await ask_rotation(scene.state, ZONE, (), Rotation.ASKED)
    done = await scene.apply()
    (following,) = done.waiting
    for _ in range(3):  # for as long as it lags, whatever is applied meanwhile
        scene.clock.advance(DAY_MS)
        await scene.apply()
        states = await scene.states()
        assert (states.pop("ed25519-1"), list(states.values())) == ("signs", ["published"])
        (warning,) = await scene.warnings("signs once")
        assert warning.startswith(f"dkim_key {following} ")
        assert f"{secondary} does not have it; the keys before it sign meanwhile" in warning
    scene.transfer()
    await scene.apply()
    states = await scene.states()
    assert (states.pop("ed25519-1"), list(states.values())) == ("retired", ["signs"])


async def test_a_server_that_shows_another_key_at_the_selector_is_waited_for_too(scene: Scene) -> None:
    secondary = scene.ask_both()
    name = f"ed25519-1._domainkey.{ZONE}"
    scene.secondary.replace(ZONE, f"{name}.", 300, "TXT", '"v=DKIM1; k=ed25519; p=of+another+server"')
    assert (await scene.apply()).waiting == (name,)
    (warning,) = await scene.warnings("signs once")
    assert f'{secondary} has something else there: "v=DKIM1; k=ed25519; p=of+another+server"' in warning
    scene.transfer()
    assert (await scene.apply()).waiting == ()


async def test_a_dmarc_stage_counts_from_when_the_server_that_lags_shows_it(scene: Scene) -> None:
    secondary = scene.ask_both()
    scene.dmarc = {"policy": "auto", "stages": {"none": "14d"}}
    await scene.apply()
    scene.clock.advance(20 * DAY_MS)
    await scene.apply()
    assert await scene.warnings("counts from") == [
        f"domain {ZONE} DMARC p=none counts from when its record is seen in DNS: seen at 1 of 2 servers; not there"
        f" ({secondary})"
    ]
    scene.transfer()
    await scene.apply()
    assert await scene.warnings("counts from") == []
    scene.clock.advance(13 * DAY_MS)
    await scene.apply()
    assert scene.primary.records(ZONE)[f"_dmarc.{ZONE}", "TXT"][1] == ('"v=DMARC1; p=none"',)
    scene.clock.advance(DAY_MS)
    scene.secondary.replace(ZONE, f"{ZONE}.", 300, "TXT", f'"v=spf1 a:mail.{ZONE} -all"')
    await scene.apply()
    assert scene.primary.records(ZONE)[f"_dmarc.{ZONE}", "TXT"][1] == ('"v=DMARC1; p=quarantine"',)


SERVED = """\
server:
  hostname: mail.{zone}
  addresses: [192.0.2.25]
  workers: 1
  listeners: {{smtp: ["127.0.0.1:{smtp}"], submission: [], submissions: [], managesieve: [],
    imap: [], imaps: [], http: [], https: []}}
{storage}
domains: {{{zone}: {{dkim: {{algorithms: [ed25519]}}}}}}
dns:
  providers: {{bind: {provider}}}
  zones: {{{zone}: {{provider: bind, ttl: 300, nameservers: ["127.0.0.1:{dns}"]}}}}
"""


def test_serve_signs_by_itself_once_the_record_is_seen(scene: Scene, tmp_path: Path) -> None:
    secret = scene.primary.provider() | {"key_secret": "env/TSIG_SECRET"}
    spec = tmp_path / "mail.yaml"
    spec.write_text(
        SERVED.format(
            storage=storage_section(),
            zone=ZONE,
            smtp=free_base_port() + 25,
            provider=json.dumps(secret),
            dns=scene.primary.port,
        )
    )
    environment = {"TSIG_SECRET": scene.primary.secret}
    log = spec.with_suffix(".log")
    with serving_spec(spec, **environment):
        wait_for(lambda: steps_in(log) == 1, what="the key signs")
        assert states_of(spec) == ["signs"]
        asked = run_command("dkim", "rotate", str(spec), ZONE)
        assert asked.returncode == 0, asked.stderr
        # Another process changed something: the server looks a quarter of a minute later.
        wait_for(lambda: steps_in(log) == 2, what="the next key signs")
        assert states_of(spec) == ["retired", "signs"]


def steps_in(log: Path) -> int:
    """How often keys went from one state to another."""
    return log.read_text().count('"updated":["dkim_key')


def states_of(spec: Path) -> list[str]:
    listed = run_command("dkim", "list", "--no-dns", "--format", "json", str(spec))
    return sorted(key["state"] for key in json.loads(listed.stdout or b"[]"))
