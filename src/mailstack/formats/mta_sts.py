"""MTA-STS policies, as a server publishes its own: the text behind HTTPS and the id in DNS that changes with it.

RFC 8461 §3.1, §3.2.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """mode: enforce, testing or none. mx: host names that mail for the domain may be handed to."""

    mode: str
    max_age_s: int
    mx: tuple[str, ...]


def write_policy(policy: Policy) -> bytes:
    # RFC 8461 §3.2: one field a line, the version first, lines end with CRLF or LF.
    fields = [("version", "STSv1"), ("mode", policy.mode), *(("mx", host) for host in policy.mx)]
    fields.append(("max_age", str(policy.max_age_s)))
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("ascii")


def policy_id(policy: Policy) -> str:
    # RFC 8461 §3.1: at most 32 letters and digits; another one whenever the policy changes.
    told = f"{policy.mode} {policy.max_age_s} {' '.join(policy.mx)}"
    return hashlib.sha256(told.encode("ascii")).hexdigest()[:20]
