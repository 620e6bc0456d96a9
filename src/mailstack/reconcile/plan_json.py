"""A plan, or drift, out of its JSON document: made on another machine, shown as if it had been made here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mailstack.model.errors import Unsupported
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant, from_datetime
from mailstack.model.resource import Kind, Operation
from mailstack.reconcile.drift import Drift, Unpublished, UserField
from mailstack.reconcile.plan import (
    FORMAT,
    BrakeName,
    ByHand,
    Change,
    FieldChange,
    Mark,
    Plan,
    PlanWarning,
    Stop,
)

Document = Mapping[str, Any]  # JSON of another program, of which every member is asked for by name


def plan_of(document: Document) -> Plan:
    """The inverse of reconcile.plan.document. Raises Unsupported for a document of another version."""
    try:
        if document["format"] != FORMAT:
            raise Unsupported(f"a plan of format {document['format']}, and this is format {FORMAT}")
        return Plan(
            spec_path=document["spec_path"],
            spec_hash=document["spec_hash"],
            generation=Generation(document["generation"]),
            live_hash=document["live_hash"],
            plan_hash=document["plan_hash"],
            changes=tuple(map(_change, document["changes"])),
            warnings=tuple(map(_warning, document["warnings"])),
            by_hand=by_hand_of(document["by_hand"]),
            stops=tuple(map(_stop, document["stops"])),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise Unsupported(f"a plan of another version: {fault!r}") from fault


def drift_of(document: Document) -> Drift:
    """The inverse of reconcile.drift.drift_document. Raises Unsupported for a document of another version."""
    try:
        return Drift(
            generation=Generation(document["generation"]),
            changes=tuple(map(_change, document["changes"])),
            by_user=tuple(map(_user_field, document["by_user"])),
            by_hand=tuple(map(_unpublished, document["by_hand"])),
            warnings=tuple(map(_warning, document["warnings"])),
            is_edited=document["spec_edited"],
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise Unsupported(f"drift as another version tells it: {fault!r}") from fault


def by_hand_of(documents: Sequence[Document]) -> tuple[ByHand, ...]:
    return tuple(ByHand(zone=item["zone"], records=tuple(item["records"])) for item in documents)


def _change(document: Document) -> Change:
    return Change(
        operation=Operation(document["operation"]),
        kind=document["kind"],
        name=document["name"],
        fields=tuple(map(_field, document["fields"])),
        reason=document["reason"],
        moved_from=document["moved_from"],
        after=tuple(document["after"]),
        drift=document["drift"],
    )


def _field(document: Document) -> FieldChange:
    return FieldChange(
        name=document["name"],
        old=document["old"],
        new=document["new"],
        mark=Mark(document["mark"]),
        by_user_since=_instant(document["since"]),
        digest=document["digest"] or "",
    )


def _warning(document: Document) -> PlanWarning:
    return PlanWarning(subject=document["subject"], text=document["text"])


def _user_field(document: Document) -> UserField:
    return UserField(
        kind=Kind(document["kind"]), name=document["name"], field=document["field"], since=_moment(document["since"])
    )


def _unpublished(document: Document) -> Unpublished:
    return Unpublished(
        zone=document["zone"],
        name=document["name"],
        type=document["type"],
        standing=document["standing"],
        told=document["told"],
    )


def _stop(document: Document) -> Stop:
    return Stop(
        brake=BrakeName(document["brake"]),
        subject=document["subject"],
        text=document["text"],
        release=document["release"],
    )


def _instant(text: str | None) -> Instant | None:
    return None if text is None else _moment(text)


def _moment(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))
