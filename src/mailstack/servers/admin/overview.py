"""The first page: what is applied, whether it runs, what waits, and what needs a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from mailstack.model.instant import Instant, from_iso
from mailstack.model.queue_entry import QueueFigures
from mailstack.model.resource import Kind, ServerBody, Summary, body_of
from mailstack.servers.admin.certificates import CertificateFigures, figures_of
from mailstack.servers.admin.machine import Machine
from mailstack.servers.admin.service import AdminService
from mailstack.servers.admin.templating import page, plain_time, size
from mailstack.servers.admin.visit import Visit

PATH = "/admin"
TOP_DOMAINS = 5
MOST_NAMED = 5
RECORD = "dns_record "
"""So the server names drift of DNS."""
NOUNS = {
    Kind.DOMAIN: "Domains",
    Kind.ACCOUNT: "Accounts",
    Kind.ALIAS: "Aliases",
    Kind.LIST: "Lists",
    Kind.RELAY: "Relays",
    Kind.DNS_ZONE: "DNS zones",
}
"""What a spec declares by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """path: of the page that says more, "" for none."""

    text: str
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What serves, as it says itself. up_ms: since it was started, None for not known; next_upkeep: likewise, ""."""

    version: str
    generation: int
    started_at: str
    up_ms: int | None
    listeners: tuple[tuple[str, tuple[str, ...]], ...]
    next_upkeep: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    hostname: str
    summary: Summary
    counts: Sequence[tuple[str, int]]
    process: Process | None
    machine: Machine
    queue: QueueFigures
    queue_statuses: Sequence[tuple[str, int]]
    certificates: Sequence[CertificateFigures]
    bans: int
    attention: Sequence[Attention]


async def show(visit: Visit) -> Response:
    return visit.page("overview.html", PATH, found=await look(visit.service))


async def show_figures(visit: Visit) -> Response:
    return page("figures.html", {"found": await look(visit.service)})


async def look(service: AdminService) -> Overview:
    store, now = service.store, service.clock()
    summary = await store.state.summary()
    held = (await store.state.snapshot((Kind.CERTIFICATE, Kind.SERVER))).resources
    certificates = figures_of(held, await store.issuance.failures(), now)
    server = next((body_of(ServerBody, each) for (kind, _), each in held.items() if kind is Kind.SERVER), None)
    queue = await store.queue.figures(now=now, domains=TOP_DOMAINS)
    running, machine = service.running(), await service.machine()
    return Overview(
        hostname="" if server is None else server.hostname,
        summary=summary,
        counts=[(NOUNS[kind], count) for kind, count in summary.counts.items() if kind in NOUNS],
        process=None if running is None else _process(running, now),
        machine=machine,
        queue=queue,
        queue_statuses=[(status.value, count) for status, count in queue.statuses.items() if count],
        certificates=certificates,
        bans=len(await store.bans.in_force(now=now)),
        attention=[
            *_attention(running or {}, summary, queue),
            *_of_machine(machine),
            *_of_certificates(certificates),
        ],
    )


def _process(running: Mapping[str, Any], now: Instant) -> Process:
    """running: of a server that may be of another version."""
    listeners = running.get("listeners") or {}
    started_at = str(running.get("started_at", ""))
    began = from_iso(started_at)
    return Process(
        version=str(running.get("version", "")),
        generation=int(running.get("generation", 0)),
        started_at=started_at,
        up_ms=None if began is None else max(now - began, 0),
        listeners=tuple(
            (service, tuple(f"{host}:{port}" for host, port in places)) for service, places in sorted(listeners.items())
        ),
        next_upkeep=str((running.get("upkeep") or {}).get("next_at") or ""),
    )


def _attention(running: Mapping[str, Any], summary: Summary, queue: QueueFigures) -> Iterator[Attention]:
    reload, upkeep = running.get("reload") or {}, running.get("upkeep") or {}
    if reload and not reload.get("ok"):
        yield Attention(text=f"The last change was refused: {reload.get('message')}", path="/admin/plan")
    if upkeep.get("message") and upkeep["message"] != reload.get("message"):
        yield Attention(text=f"Upkeep is not done: {upkeep['message']}", path="/admin/plan")
    yield from _of_drift(running.get("drift") or {}, str(running.get("drift_checked_at", "")))
    if running and int(running.get("generation", 0)) != summary.generation:
        yield Attention(text=f"Generation {running.get('generation')} serves, {summary.generation} is applied")
    for each in queue.held_back:
        yield Attention(text=f"Mail to {each.destination} is held back: {each.why}", path="/admin/queue")


def _of_drift(drift: Mapping[str, Any], checked_at: str) -> Iterator[Attention]:
    """Of the last look: what a look found since to be as it was applied is nobody's work any more."""
    if not drift or str(drift.get("at", "")) < checked_at:
        return
    found = [str(name) for name in drift.get("found") or ()]
    records = [name.removeprefix(RECORD) for name in found if name.startswith(RECORD)]
    at = plain_time(str(drift.get("at", "")))
    if records:
        told = ", ".join(records[:MOST_NAMED]) + (" and more" if len(records) > MOST_NAMED else "")
        yield Attention(text=f"Not in DNS as it was applied, seen at {at}: {told}", path="/admin/dns")
    if others := int(drift.get("count", 0)) - len(records):
        yield Attention(text=f"{others} not as applied, seen at {at}", path="/admin/plan")


def _of_machine(machine: Machine) -> Iterator[Attention]:
    if machine.has_little_room:
        free, whole = size(machine.free_bytes), size(machine.size_bytes)
        yield Attention(text=f"The disk of the storage is nearly full: {free} of {whole} are free")


def _of_certificates(certificates: Sequence[CertificateFigures]) -> Iterator[Attention]:
    for each in certificates:
        if each.failure:
            yield Attention(text=f"The certificate of {each.name} was not renewed: {each.failure}", path="/admin/keys")
        elif each.is_urgent:
            yield Attention(text=f"The certificate of {each.name} ends soon", path="/admin/keys")
