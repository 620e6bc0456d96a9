"""What became of each object of a /set. RFC 8620 §5.3."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailstack.model.errors import DomainError
from mailstack.servers.jmap.errors import set_fault
from mailstack.wire.jmap.faults import NotSet, SetFault

_Faults = dict[str, SetFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAnswer:
    """created: by creation id, what the client did not send of each. updated: what changed beyond what it asked for."""

    created: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    updated: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)
    destroyed: list[str] = field(default_factory=list)
    not_created: _Faults = field(default_factory=dict)
    not_updated: _Faults = field(default_factory=dict)
    not_destroyed: _Faults = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "created": self.created or None,
            "updated": self.updated or None,
            "destroyed": self.destroyed or None,
            "notCreated": _as_json(self.not_created),
            "notUpdated": _as_json(self.not_updated),
            "notDestroyed": _as_json(self.not_destroyed),
        }


def refusal(fault: NotSet | DomainError) -> SetFault:
    return fault.fault if isinstance(fault, NotSet) else set_fault(fault)


def _as_json(faults: _Faults) -> dict[str, Any] | None:
    return {key: fault.as_json() for key, fault in faults.items()} or None
