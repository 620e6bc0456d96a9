"""What a client wants a mailbox to be: the properties that it may set. RFC 8621 §2, §2.5."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailstack.model.mailbox import DELIMITER, MailboxRole
from mailstack.wire.jmap.arguments import is_id
from mailstack.wire.jmap.faults import invalid_property
from mailstack.wire.jmap.mail.settable import check_settable


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxWanted:
    """parent_id: as the client spells it. sort_order: None for none of its own."""

    name: str
    parent_id: str | None
    role: MailboxRole | None
    is_subscribed: bool
    sort_order: int | None


def read_mailbox(properties: Mapping[str, Any], *, fixed: Mapping[str, Any]) -> MailboxWanted:
    """properties: all that the client can set. fixed: what else there is, and it may name as it is. Raises NotSet."""
    check_settable(properties, _SETTABLE, fixed=fixed)
    return MailboxWanted(
        name=_name(properties.get("name")),
        parent_id=_parent_id(properties.get("parentId")),
        role=_role(properties.get("role")),
        is_subscribed=_is_subscribed(properties.get("isSubscribed")),
        sort_order=_sort_order(properties.get("sortOrder")),
    )


_SETTABLE = frozenset({"name", "parentId", "role", "sortOrder", "isSubscribed"})


def _name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise invalid_property("name", "a mailbox has a name")
    if DELIMITER in value:
        # It would be two names over IMAP.
        raise invalid_property("name", f"a name holds no {DELIMITER}")
    return value


def _parent_id(value: object) -> str | None:
    # RFC 8620 §5.3: a reference stands for what is created in the same request.
    if value is not None and not (isinstance(value, str) and is_id(value.removeprefix("#"))):
        raise invalid_property("parentId", "an Id or null")
    return value


def _role(value: object) -> MailboxRole | None:
    if value is None:
        return None
    try:
        return MailboxRole(value) if isinstance(value, str) else _no_role()
    except ValueError:
        return _no_role()


def _no_role() -> MailboxRole:
    raise invalid_property("role", "no mailbox here has such a role")


def _is_subscribed(value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid_property("isSubscribed", "a Boolean")
    return value


def _sort_order(value: object) -> int | None:
    # RFC 8621 §2: 0 <= sortOrder < 2^31
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise invalid_property("sortOrder", "a whole number from 0 to 2^31 - 1")
    return value
