"""What a script asks of the account or the server. The engine does no I/O: a run that needs such a fact ends with
Wanted; whoever runs it looks it up and runs the script once more from its beginning, with all facts found so far.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailboxExists:
    """bool: whether mail could be put there (RFC 5490 §3.1)."""

    name: str


@dataclass(frozen=True, slots=True)
class MailboxIdExists:
    """bool (RFC 9042 §4)."""

    mailbox_id: str


@dataclass(frozen=True, slots=True)
class SpecialUseExists:
    """bool: whether that mailbox, or for "" any, has the use (RFC 8579 §4)."""

    mailbox: str
    use: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """str | None: the value of an annotation; of the server for mailbox "" (RFC 5490 §3, §5)."""

    mailbox: str
    name: str


@dataclass(frozen=True, slots=True)
class IsDuplicate:
    """bool: whether a run that ended well has seen the id (RFC 7352 §3)."""

    unique_id: str


@dataclass(frozen=True, slots=True)
class ListExists:
    """bool (RFC 6134 §2.8)."""

    name: str


@dataclass(frozen=True, slots=True)
class IsListed:
    """bool (RFC 6134 §2.2)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class IncludedScript:
    """script.Script | None | Broken: of the account, or for is_global of the server (RFC 6609 §3.2)."""

    name: str
    is_global: bool


Fact = (
    MailboxExists | MailboxIdExists | SpecialUseExists | Metadata | IsDuplicate | ListExists | IsListed | IncludedScript
)


class Wanted(Exception):
    """Raised where a fact is missing, and caught by `run`."""

    def __init__(self, fact: Fact) -> None:
        super().__init__(fact)
        self.fact = fact
