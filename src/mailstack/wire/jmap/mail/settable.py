"""Which properties a client may set. RFC 8620 §5.3."""

from collections.abc import Collection, Mapping
from typing import Any

from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType


def check_settable(properties: Mapping[str, Any], settable: Collection[str], *, fixed: Mapping[str, Any]) -> None:
    """fixed: what else there is, and a client may name as it is. Raises NotSet."""
    wrong = [
        name
        for name, value in properties.items()
        if name not in settable and (name not in fixed or fixed[name] != value)
    ]
    if wrong:
        text = "these are not for clients to set"
        raise NotSet(SetFault(type=SetFaultType.INVALID_PROPERTIES, description=text, properties=sorted(wrong)))
