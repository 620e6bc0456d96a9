"""The one Quota of an account that has a limit: as JSON, and its state, which holds all that changes. RFC 9425 §4."""

import re
from dataclasses import dataclass
from typing import Any

from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId
from mailstack.servers.jmap.method import Call
from mailstack.services.mailbox.account_mail import AccountMail
from mailstack.services.mailbox.paths import join_path
from mailstack.services.mailbox.places import root_of
from mailstack.services.mailbox.quota import NO_QUOTA, OWN_ROOT, quota_of_root, state_of_quota

PROPERTIES = (
    "id",
    "resourceType",
    "used",
    "hardLimit",
    "warnLimit",
    "softLimit",
    "scope",
    "name",
    "description",
    "types",
)
_STATE = re.compile(rf"([0-9]{{1,18}})-([0-9]{{1,18}})|{NO_QUOTA}")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaFacts:
    used_bytes: int
    limit_bytes: int


async def quota_facts(call: Call, mail: AccountMail) -> QuotaFacts | None:
    """None: there is no limit, or the viewer may read nothing there."""
    root = OWN_ROOT if mail.is_own else join_path(root_of(mail.account))
    try:
        quota = await quota_of_root(call.service.mail_of(call.login), root)
    except NotFound:
        return None
    if quota.limit_bytes is None:
        return None
    return QuotaFacts(used_bytes=quota.used_bytes, limit_bytes=quota.limit_bytes)


def quota_id(account_id: AccountId) -> str:
    return f"Q{account_id}"


def quota_object(account_id: AccountId, facts: QuotaFacts) -> dict[str, Any]:
    """With all PROPERTIES."""
    return {
        "id": quota_id(account_id),
        "resourceType": "octets",
        "used": facts.used_bytes,
        "hardLimit": facts.limit_bytes,
        "warnLimit": None,
        "softLimit": None,
        "scope": "account",
        "name": "Mail",
        "description": None,
        "types": ["Email"],
    }


def quota_state(facts: QuotaFacts | None) -> str:
    return NO_QUOTA if facts is None else state_of_quota(facts.used_bytes, facts.limit_bytes)


def known_state(text: str) -> tuple[QuotaFacts | None] | None:
    """What a state that we gave out stood for; None: we never did."""
    found = _STATE.fullmatch(text)
    if found is None:
        return None
    return (None if found[1] is None else QuotaFacts(used_bytes=int(found[1]), limit_bytes=int(found[2])),)
