"""What became of a mail that was explained, as values, which `mailstack explain --format json` prints as they are.

RFC 8601 §2.7 has the words that results of checks are in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Fact = bool | int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one look at the mail came to. check: what was looked at. result: in a word. reason: for people, "" where the
    result says all. facts: by name; docs/explain.md has those of each check."""

    check: str
    result: str
    reason: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """To DNS. answers: as text, none for absence. failure: why there was no answer."""

    name: str
    type: str
    answers: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the client said, what was found meanwhile, and the reply on one line; "" where nobody waits for one."""

    said: str
    reply: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """octets: with CRLF line ends. notes: what was made of the file, and where the envelope comes from."""

    octets: int
    peer: str
    helo: str
    mail_from: str
    recipients: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmingUp:
    """What of the mail to a provider goes direct today; the rest goes by the relay. most_today: mails, None without a
    bound."""

    provider: str
    relay: str
    share: float
    most_today: int | None
    sent_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """What scripts do, besides copies and what is sent on. discarded, answered: by these logins. refused: by login,
    what the sender hears. notified: addresses."""

    discarded: tuple[str, ...]
    answered: tuple[str, ...]
    refused: Mapping[str, str]
    notified: tuple[str, ...]


class Verdict(StrEnum):
    """Of the whole mail. PARTLY: some recipients were refused, and it was taken for the others."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    DEFERRED = "deferred"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """reply: that the verdict follows from. refused: the replies to recipients that were refused or put off, where
    others were taken. authentication_results: the field that would stand on top, "" where the sender was not checked.
    stored: mailboxes by account. sent_on: the way that it leaves, by address. warming_up: where that is a matter of the
    day, by address too. scripts: of accounts and the server. dns: all that was asked, by name.
    """

    mail: Mail
    steps: tuple[Step, ...]
    verdict: Verdict
    reply: str
    refused: Mapping[str, str]
    authentication_results: str
    stored: Mapping[str, tuple[str, ...]]
    sent_on: Mapping[str, str]
    warming_up: Mapping[str, WarmingUp]
    scripts: Scripted
    dns: tuple[Question, ...]


def explanation_schema() -> dict[str, object]:
    """The JSON Schema of an explanation, as schemas/explanation.schema.json holds it."""
    from pydantic import TypeAdapter  # only here: a mail is explained without it

    schema = TypeAdapter(Explanation).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "mailstack/v1/explanation", **schema}
