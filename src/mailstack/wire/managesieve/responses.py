"""What the server can say, as values; wire.managesieve.write turns them into bytes. RFC 5804 §1.3, §4."""

from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    OK = "OK"
    NO = "NO"
    BYE = "BYE"


class Code(StrEnum):
    """RFC 5804 §1.3. SASL and TAG come with a string."""

    AUTH_TOO_WEAK = "AUTH-TOO-WEAK"
    ENCRYPT_NEEDED = "ENCRYPT-NEEDED"
    QUOTA = "QUOTA"
    QUOTA_MAXSCRIPTS = "QUOTA/MAXSCRIPTS"
    QUOTA_MAXSIZE = "QUOTA/MAXSIZE"
    SASL = "SASL"
    TRANSITION_NEEDED = "TRANSITION-NEEDED"
    TRYLATER = "TRYLATER"
    ACTIVE = "ACTIVE"
    NONEXISTENT = "NONEXISTENT"
    ALREADYEXISTS = "ALREADYEXISTS"
    TAG = "TAG"
    WARNINGS = "WARNINGS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How a command ended, or BYE at any time. text: for people, may have many lines; "" for none.
    code_value: the string that the code comes with.
    """

    condition: Condition
    text: str = ""
    code: Code | None = None
    code_value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """RFC 5804 §2.1. data: in base64."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """RFC 5804 §1.7: one line of them. value: None for those without one."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedScript:
    """RFC 5804 §2.7."""

    name: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class ScriptContent:
    """RFC 5804 §2.9."""

    content: bytes


Response = Reply | Challenge | Capability | ListedScript | ScriptContent
