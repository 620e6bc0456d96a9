"""The plan: what an apply would do, as a value that can be shown, kept, hashed and compared.

Not how it is found (diff, dns) nor how it is done (apply). The JSON form is described by schemas/plan.schema.json.
"""

import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from typing_extensions import TypedDict  # pydantic reads the standard one only from Python 3.12 on

from mailstack.model.ids import Generation
from mailstack.model.instant import Instant, iso
from mailstack.model.resource import Json, Kind, Operation

FORMAT = 1
DNS_RECORD = "dns_record"
KNOWN_AFTER_APPLY = "(known after apply)"


class Mark(StrEnum):
    PLAIN = "plain"
    SECRET = "secret"  # old and new are never shown
    SECRET_REMOVED = "secret_removed"
    UNKNOWN = "unknown"  # apply makes the new value


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """by_user_since: when the user wrote what goes now, None for a value that was the spec's. digest: of a secret's new
    value, as binding has it; "" where there is none."""

    name: str
    old: Json = None
    new: Json = None
    mark: Mark = Mark.PLAIN
    by_user_since: Instant | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """kind: a word of model.resource.Kind, or dns_record, whose name is `fqdn TYPE`. moved_from: the old name of what
    moves, else "". after: other changes of the plan, as `kind name`, that are done before this one because it needs
    them. drift: it puts right what changed behind the back of a spec that is applied."""

    operation: Operation
    kind: str
    name: str
    fields: tuple[FieldChange, ...] = ()
    reason: str = ""
    moved_from: str = ""
    after: tuple[str, ...] = ()
    drift: bool = False


class BrakeName(StrEnum):
    """What an apply stops at until somebody says that it is meant."""

    MAIL = "mail"  # an account or a domain that holds mail would be destroyed
    LAST_ADMIN = "last_admin"
    SHARE = "share"  # more than 30 % of ten or more would go
    FOREIGN = "foreign"  # a DNS value that mailstack did not write would go


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A brake that holds: nothing of the plan is done. release: the option of apply that lets it go on."""

    brake: BrakeName
    subject: str
    text: str
    release: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWarning:
    """Something a person should know; apply goes on without it."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """Records that nobody but the reader can publish. records: lines of a zone file (RFC 1035 §5). reason: why, where
    the zone has a provider, else ""."""

    zone: str
    records: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """generation: the live state it was made against. live_hash: of that state and of the DNS zones read. server: the
    address of the one that it was made on, "" for this machine.

    plan_hash: of all that is shown but stops, which depend on what the caller releases, warnings, reasons, and digests
    of secrets, which are compared one by one; two plans with the same one do the same, if their secrets are the same.
    """

    spec_path: str
    spec_hash: str
    generation: Generation
    live_hash: str
    # asyncio.run takes the repr of what its coroutine returned, by signal.getsignal: of ten thousand changes, a second.
    changes: tuple[Change, ...] = field(repr=False)
    warnings: tuple[PlanWarning, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    stops: tuple[Stop, ...] = ()
    plan_hash: str = field(default="")
    server: str = ""

    @property
    def spec_arguments(self) -> str:
        """For a shell: what names this spec, and where it is applied, in a command that is shown."""
        server = f" --server {shlex.quote(self.server)}" if self.server else ""
        return f"{shlex.quote(self.spec_path)}{server}"

    @property
    def is_by_hand_unknown(self) -> bool:
        """Some record to publish by hand holds a key that apply makes."""
        return any(KNOWN_AFTER_APPLY in line for item in self.by_hand for line in item.records)

    @property
    def is_empty(self) -> bool:
        return not self.changes

    def count(self, operation: Operation) -> int:
        return sum(change.operation is operation for change in self.changes)

    def destroyed(self, kind: Kind) -> tuple[str, ...]:
        """Names of that kind which would go: what a brake asks about accounts and domains."""
        return tuple(
            change.name for change in self.changes if change.kind == kind and change.operation is Operation.DESTROY
        )


class Owner(StrEnum):
    SPEC = "spec"
    USER = "user"


class FieldDocument(TypedDict):
    """One field of a change. old and new: any JSON; null where the field is secret or not known before apply. owner: of
    the old value: spec or user; since: when a user wrote it (ISO 8601), null for the spec's. digest: by which apply
    knows that a secret is still the one of this plan, and nobody can tell what it is; null for what is no secret, for
    what apply makes, before the first apply, and of a password in a plan for a token that may only plan."""

    name: str
    old: object
    new: object
    mark: Mark
    owner: Owner
    since: str | None
    digest: str | None


class ChangeDocument(TypedDict):
    operation: Operation
    kind: str
    name: str
    moved_from: str
    reason: str
    after: list[str]
    drift: bool
    fields: list[FieldDocument]


class WarningDocument(TypedDict):
    subject: str
    text: str


class StopDocument(TypedDict):
    """Apply does nothing of the plan without `release`, an option of `mailstack apply`."""

    brake: BrakeName
    subject: str
    text: str
    release: str


class ByHandDocument(TypedDict):
    zone: str
    reason: str
    records: list[str]


class SummaryDocument(TypedDict):
    create: int
    update: int
    move: int
    destroy: int


class PlanDocument(TypedDict):
    """What `mailstack plan --format json` prints."""

    format: int
    spec_path: str
    spec_hash: str
    generation: int
    live_hash: str
    plan_hash: str
    summary: SummaryDocument
    changes: list[ChangeDocument]
    warnings: list[WarningDocument]
    stops: list[StopDocument]
    by_hand: list[ByHandDocument]


def sealed(plan: Plan) -> Plan:
    """The plan with its hash. The hash leaves out spec_path: the same spec from another folder is the same plan; and
    warnings: what others' name servers show changes by itself; and reasons: they count days, and a plan that was made
    yesterday does the same today."""
    changes = tuple(map(_without_reasons, plan.changes))
    shown = document(replace(plan, plan_hash="", spec_path="", stops=(), warnings=(), changes=changes))
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return replace(plan, plan_hash=hashlib.sha256(text.encode("ascii")).hexdigest())


def _without_reasons(change: Change) -> Change:
    if any(item.digest for item in change.fields):
        fields = tuple(replace(item, digest="") if item.digest else item for item in change.fields)
        return replace(change, reason="", fields=fields)
    return replace(change, reason="") if change.reason else change


def document(plan: Plan) -> PlanDocument:
    return PlanDocument(
        format=FORMAT,
        spec_path=plan.spec_path,
        spec_hash=plan.spec_hash,
        generation=int(plan.generation),
        live_hash=plan.live_hash,
        plan_hash=plan.plan_hash,
        summary=SummaryDocument(
            create=plan.count(Operation.CREATE),
            update=plan.count(Operation.UPDATE),
            move=plan.count(Operation.MOVE),
            destroy=plan.count(Operation.DESTROY),
        ),
        changes=[change_document(change) for change in plan.changes],
        warnings=[warning_document(item) for item in plan.warnings],
        stops=[
            StopDocument(brake=item.brake, subject=item.subject, text=item.text, release=item.release)
            for item in plan.stops
        ],
        by_hand=by_hand_document(plan.by_hand),
    )


def by_hand_document(by_hand: Sequence[ByHand]) -> list[ByHandDocument]:
    return [ByHandDocument(zone=item.zone, reason=item.reason, records=list(item.records)) for item in by_hand]


def change_document(change: Change) -> ChangeDocument:
    return ChangeDocument(
        operation=change.operation,
        kind=change.kind,
        name=change.name,
        moved_from=change.moved_from,
        reason=change.reason,
        after=list(change.after),
        drift=change.drift,
        fields=[_field_document(item) for item in change.fields],
    )


def warning_document(warning: PlanWarning) -> WarningDocument:
    return WarningDocument(subject=warning.subject, text=warning.text)


def plan_schema() -> dict[str, object]:
    """The JSON Schema of `document`, as schemas/plan.schema.json holds it."""
    from pydantic import TypeAdapter  # only here: a plan is made and shown without it

    schema = TypeAdapter(PlanDocument).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "mailstack/v1/plan", **schema}


def in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    """As people read them: by kind as kinds depend on each other, DNS last, then by name."""
    rank = {kind.value: place for place, kind in enumerate(Kind)}
    return tuple(sorted(changes, key=lambda change: (rank.get(change.kind, len(rank)), change.name)))


def _field_document(item: FieldChange) -> FieldDocument:
    return FieldDocument(
        name=item.name,
        old=item.old,
        new=item.new,
        mark=item.mark,
        owner=Owner.SPEC if item.by_user_since is None else Owner.USER,
        since=None if item.by_user_since is None else iso(item.by_user_since),
        digest=item.digest or None,
    )
