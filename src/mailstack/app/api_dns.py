"""The records of the spec that lies on the server, and how they stand in DNS, for who looks after it in a browser.

A zone at a time, for each may have name servers that do not answer.
"""

from collections.abc import Mapping

from typing_extensions import TypedDict

from mailstack.app.answer_line import JSON, Line
from mailstack.app.api_line import opened_store
from mailstack.app.api_models import ZoneRequest
from mailstack.app.api_own import own_of
from mailstack.app.api_process import Order
from mailstack.app.silence import Silence
from mailstack.model.resource import DkimKeyBody, KeyState, Kind, body_of
from mailstack.ports.state import State
from mailstack.reconcile.dns.check import is_made_by_apply
from mailstack.reconcile.dns.health import Remark
from mailstack.reconcile.dns.overview import BY_HAND, publisher_of
from mailstack.reconcile.dns.record_set import zone_file_lines
from mailstack.reconcile.dns.survey import TO_COME
from mailstack.reconcile.dns.zone_look import RecordLook
from mailstack.reconcile.dns.zones import PlacedRecord
from mailstack.spec.model import Spec

KEY_NOTES = {
    KeyState.PUBLISHED.value: "a DKIM key, which signs once it is seen",
    KeyState.SIGNS.value: "the DKIM key that signs",
    KeyState.RETIRED.value: "a former DKIM key, kept for mail on its way",
}


class RecordDocument(TypedDict):
    """note: what the record is for, "" where its name says it."""

    name: str
    type: str
    ttl_s: int
    values: list[str]
    published_by: str
    note: str


class SeenDocument(TypedDict):
    server: str
    standing: str
    told: str


class LookDocument(RecordDocument):
    """As zone_look.RecordLook has it. unseen: why nobody was asked."""

    state: str
    told: str
    owner: str
    published: list[str] | None
    servers: list[SeenDocument]
    unseen: str


class ZoneDocument(TypedDict):
    """lines: of a zone file, with what people publish."""

    zone: str
    records: list[RecordDocument]
    lines: list[str]


class RemarkDocument(TypedDict):
    """is_good: null where nothing could be learned."""

    subject: str
    text: str
    is_good: bool | None


async def tell_records(order: Order, line: Line) -> None:
    async with opened_store(order, Silence(), read_only=True) as store:
        own = own_of(order, store)
        spec, records = own.reconciler.spec_here(own.loaded), await own.reconciler.records(own.loaded)
        notes, applied = await _notes(store.state), await store.state.summary()
    by_zone: dict[str, list[PlacedRecord]] = {zone: [] for zone in sorted(spec.dns.zones)}
    for item in records:
        by_zone.setdefault(item.zone, []).append(item)
    line.begin(JSON)
    line.tell(
        zones=[_zone_document(zone, items, spec, notes) for zone, items in by_zone.items()],
        spec_edited=applied.spec_hash != own.loaded.digest,
    )


async def tell_zone(order: Order, request: ZoneRequest, line: Line) -> None:
    async with opened_store(order, Silence(), read_only=True) as store:
        own = own_of(order, store)
        spec, notes = own.reconciler.spec_here(own.loaded), await _notes(store.state)
        found = await own.reconciler.look_at_zone(own.loaded, request.zone)
    line.begin(JSON)
    line.tell(
        records=[_look_document(look, spec, notes) for look in found.records],
        remarks=[_remark_document(remark) for remark in found.remarks],
        failure=found.failure,
    )


async def tell_around(order: Order, line: Line) -> None:
    async with opened_store(order, Silence(), read_only=True) as store:
        own = own_of(order, store)
        found = await own.reconciler.look_around(own.loaded)
    line.begin(JSON)
    line.tell(remarks=[_remark_document(remark) for remark in found])


async def _notes(state: State) -> Mapping[str, str]:
    """By the name of a record."""
    held = (await state.snapshot([Kind.DKIM_KEY])).resources.values()
    keys = [body_of(DkimKeyBody, resource) for resource in held]
    return {f"{key.selector}._domainkey.{key.domain}": KEY_NOTES[key.state] for key in keys}


def _zone_document(zone: str, items: list[PlacedRecord], spec: Spec, notes: Mapping[str, str]) -> ZoneDocument:
    by_hand = [item.record for item in items if publisher_of(item, spec).startswith(BY_HAND)]
    return ZoneDocument(
        zone=zone,
        records=[_record_document(item, spec, notes) for item in items],
        lines=list(zone_file_lines(by_hand)),
    )


def _record_document(item: PlacedRecord, spec: Spec, notes: Mapping[str, str]) -> RecordDocument:
    record = item.record
    return RecordDocument(
        name=record.name,
        type=record.type,
        ttl_s=record.ttl_s,
        values=list(record.values),
        published_by=publisher_of(item, spec),
        note=TO_COME if is_made_by_apply(record) else notes.get(record.name, ""),
    )


def _look_document(look: RecordLook, spec: Spec, notes: Mapping[str, str]) -> LookDocument:
    return LookDocument(
        **_record_document(look.item, spec, notes),
        state=look.state.value,
        told=look.told,
        owner=look.owner.value,
        published=None if look.published is None else list(look.published),
        servers=[
            SeenDocument(server=each.server, standing=each.standing.value, told=each.told)
            for each in look.finding.servers
        ],
        unseen=look.finding.told,
    )


def _remark_document(remark: Remark) -> RemarkDocument:
    return RemarkDocument(subject=remark.subject, text=remark.text, is_good=remark.is_good)
