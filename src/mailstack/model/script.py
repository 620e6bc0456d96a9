"""Sieve scripts of an account. RFC 5804 §1.4: at most one is active. What is in them is mailstack.sieve's."""

from dataclasses import dataclass

from mailstack.model.ids import ScriptId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptEntry:
    """script_id stays when the script is renamed or written anew."""

    script_id: ScriptId
    name: str
    size_octets: int
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptQuota:
    """RFC 5804 §1.5: of one account. octets: of all its scripts together."""

    scripts: int
    octets: int
