"""What Prometheus reads: whole, in both formats, and there however the store does."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from mailstack.app.blueprint import Blueprint
from mailstack.app.metrics import readings as readings_module
from mailstack.app.metrics.kept import PATIENCE_S
from mailstack.app.metrics.readings import Readings
from mailstack.app.metrics.scrape import Scrape
from mailstack.app.metrics.shared import SharedMetrics
from mailstack.app.runfiles import run_folder
from mailstack.app.status import Status
from mailstack.model import metrics
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant
from mailstack.model.queue_entry import QueueFigures
from mailstack.model.resource import Body, CertificateBody, DkimKeyBody, Kind, Resource, Summary, fields_of
from tests.support.fake_clock import FakeClock
from tests.support.memory_queue import MemoryQueue
from tests.support.memory_state import MemoryState
from tests.support.stores import outgoing_mail

OPEN = "application/openmetrics-text; version=1.0.0"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]

BODIES: tuple[tuple[Kind, str, Body], ...] = (
    (
        Kind.CERTIFICATE,
        "mail.example.com",
        CertificateBody(issuer="acme", names=(), certificate="", not_after="2027-01-01T00:00:00Z"),
    ),
    (
        Kind.DKIM_KEY,
        "s1._domainkey.example.com",
        DkimKeyBody(
            domain="example.com", selector="s1", algorithm="ed25519", public_key="", since="2026-01-01T00:00:00Z"
        ),
    ),
)


class World:
    def __init__(self, folder: Path, queue: MemoryQueue | None = None, state: MemoryState | None = None) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.queue = queue or MemoryQueue()
        self.shared = SharedMetrics(2)
        blueprint = Blueprint(
            generation=Generation(7),
            postmaster=None,
            secret_key=b"k" * 32,
            resources=tuple(Resource(kind=kind, name=name, fields=fields_of(body)) for kind, name, body in BODIES),
            secrets={},
        )
        readings = Readings(
            blueprint,
            queue=self.queue,
            state=state or MemoryState(),
            storage=folder,
            bans=lambda: 3,
            clock=self.clock,
        )
        self._scrape = Scrape(cells=self.shared.cells, readings=readings)

    async def families(self) -> list[Family]:
        text, media_type = await self._scrape("")
        assert media_type.startswith("text/plain; version=0.0.4")
        return [*parse(text.decode())]

    async def samples(self) -> Samples:
        return samples(await self.families())

    async def open_families(self) -> list[Family]:
        text, media_type = await self._scrape(OPEN)
        assert media_type.startswith(OPEN)
        return [*parse_open(text.decode())]  # type: ignore[no-untyped-call]  # the library leaves it so


def samples(families: Iterable[Family]) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


async def test_both_formats_say_the_same(tmp_path: Path) -> None:
    world = World(tmp_path)
    column = world.shared.of(0)
    column.observe(metrics.IMAP_SECONDS, 0.3, "fetch", "OK")
    column.add(metrics.DELIVERIES, "delivered", by=5)
    old, new = await world.families(), await world.open_families()
    assert samples(old) == samples(new)
    assert {family.type for family in old} == {"counter", "gauge", "histogram"}


async def test_a_histogram_counts_up_to_its_whole(tmp_path: Path) -> None:
    world = World(tmp_path)
    for worker in (0, 1):
        world.shared.of(worker).observe(metrics.IMAP_SECONDS, 0.3, "fetch", "OK")
    world.shared.of(0).observe(metrics.IMAP_SECONDS, 60, "fetch", "OK")
    found = await world.samples()
    labels = (("command", "fetch"), ("condition", "OK"))
    buckets = {
        dict(more)["le"]: value
        for (name, more), value in found.items()
        if name == "mailstack_imap_command_seconds_bucket"
    }
    assert (buckets["0.25"], buckets["0.5"], buckets["10.0"], buckets["+Inf"]) == (0, 2, 2, 3)
    assert found["mailstack_imap_command_seconds_count", labels] == 3
    assert found["mailstack_imap_command_seconds_sum", labels] == pytest.approx(60.6)


async def test_what_is_looked_up_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.queue.enqueue([outgoing_mail()], next_at=Instant(0))
    run_folder(tmp_path).mkdir()
    status = Status(tmp_path, "mailstack.yaml")
    status.reloaded(generation=7, message="a fault")
    status.looked(["dns: gone"])
    found = await world.samples()
    assert found["mailstack_generation", ()] == 7
    assert found["mailstack_bans_in_force", ()] == 3
    assert found["mailstack_queue_recipients", (("status", "waiting"),)] == 1
    assert found["mailstack_queue_oldest_age_seconds", ()] == pytest.approx((world.clock() - 1_000) / 1_000)
    assert (
        found["mailstack_certificate_not_after_timestamp_seconds", (("certificate", "mail.example.com"),)] == 1798761600
    )
    key = (("domain", "example.com"), ("selector", "s1"), ("state", "signs"))
    assert found["mailstack_dkim_key_since_timestamp_seconds", key] == 1767225600
    assert found["mailstack_last_reload_successful", ()] == 0
    assert found["mailstack_drift_items", ()] == 1
    assert 0 < found["mailstack_storage_free_bytes", ()] <= found["mailstack_storage_size_bytes", ()]


async def test_every_metric_comes(tmp_path: Path) -> None:
    """As the documentation has them."""
    world = World(tmp_path)
    await world.samples()
    names = {family.name for family in await world.families()}
    for metric in (*metrics.ALL, *readings_module.ALL):
        is_there = metric.full_name.removesuffix("_total") in names
        assert is_there or metric.bounds or metric is readings_module.RESOURCES


class HangingQueue(MemoryQueue):
    async def figures(self, *, now: Instant, domains: int) -> QueueFigures:  # noqa: ARG002  # as the port has it
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


class BrokenState(MemoryState):
    async def summary(self) -> Summary:
        raise TryAgainLater("the database is away")


async def test_a_database_that_hangs_or_fails_hides_nothing_else(tmp_path: Path) -> None:
    world = World(tmp_path, HangingQueue(), BrokenState())
    async with asyncio.timeout(PATIENCE_S * 3):
        found = await world.samples()
    errors = {
        dict(labels)["source"]: value for (name, labels), value in found.items() if name == "mailstack_scrape_error"
    }
    assert errors == {"queue": 1, "state": 1, "disk": 0}
    assert ("mailstack_queue_mails", ()) not in found
    assert ("mailstack_applied_generation", ()) not in found
    assert found["mailstack_generation", ()] == 7


async def test_many_names_of_the_spec_are_told_within_a_moment(tmp_path: Path) -> None:
    """Whatever is asked, the loop is not held up for long: 35 kB, not one line for each address."""
    world = World(tmp_path)
    for metric in metrics.ALL:
        if metric.bounds:
            world.shared.of(0).observe(metric, 1, *(values[0] for values in metric.labels.values()))
    text, _ = await world._scrape("")
    assert len(text) < 80_000
