"""`spam`: what is asked of who brings mail, and what becomes of mail that looks like spam."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mailstack.model.spam import JUNK_AT, REJECT_AT
from mailstack.spec.sections.section import OrElse, Section
from mailstack.spec.sections.spam_engines import Engines
from mailstack.spec.sections.spam_lists import DnsList
from mailstack.spec.sections.spam_rules import MAX_RULES, Senders, SpamRule
from mailstack.spec.values import DomainName

MOST_LISTS = 10
OFF = "off"

Points = Annotated[float, Field(ge=0.1, le=1000)]


def parse_spam(value: object) -> object:
    """`off` alone stands for a section that says no more."""
    if value == OFF:
        return {"scoring": OFF}
    if isinstance(value, str | bool | int | float):
        raise ValueError("off, or a mapping such as {junk_at: 4}, is needed here; without either it is on")
    return value


class OwnSpam(Section):
    """What becomes of mail that looks like spam, for a domain or an account."""

    scoring: Literal["on", "off"] = Field(default="on", description="off: nobody looks whether its mail is spam.")
    junk_at: Points | None = Field(
        default=JUNK_AT, description="From so many points on, mail goes to the Junk mailbox; null for never."
    )
    reject_at: Points | None = Field(
        default=REJECT_AT,
        description="From so many points on, mail is refused while its sender is connected, where it is over for all"
        " who would get it; else it goes to Junk. null for never.",
    )
    allow: Senders = Field(
        default=(),
        description="Senders whose mail is never taken for spam: addresses, domains, *.domains, where SPF, DKIM or"
        " DMARC prove that it is theirs; and networks it comes from. An account's list comes before its domain's, that"
        " before the server's; the most specific entry counts.",
    )
    block: Senders = Field(default=(), description="Senders whose mail is always spam; nothing has to be proven of it.")


SpamOrOff = Annotated[OwnSpam, BeforeValidator(parse_spam), OrElse({"const": OFF})]


class Spam(OwnSpam):
    scoring: Literal["on", "off"] = Field(
        default="on", description="off: nobody looks whether mail is spam, whatever domains and accounts say."
    )
    rules: tuple[SpamRule, ...] = Field(
        default=(), max_length=MAX_RULES, description="Rules of your own, beside those of docs/spam-rules.md."
    )
    greylist: Literal["off", "suspicious", "all"] = Field(
        default="off",
        description="Who is asked to come again after 3 minutes before a first mail from their network, sender and"
        " recipient is taken (RFC 6647): nobody, those whose address has no confirmed name or whose SPF does not pass,"
        " or everybody. A network whose mail came again three times is asked no more for 36 days. Who is logged in and"
        " `receiving.trusted_peers` never are.",
    )
    blocklists: tuple[DomainName, ...] = Field(
        default=(),
        max_length=MOST_LISTS,
        description="DNS lists of addresses whose mail is refused (RFC 5782), such as zen.spamhaus.org. Postmaster and"
        " abuse are reached all the same. A list that does not answer within 5 seconds refuses nobody. Most lists"
        " answer only to a resolver of your own, and each has its terms of use.",
    )
    lists: tuple[DnsList, ...] = Field(
        default=(),
        max_length=MOST_LISTS,
        description="DNS lists that give mail points (RFC 5782): of addresses, of domains, of where links lead. No list"
        " is asked about your own domains or about private addresses. What it does not answer within 2 seconds it has"
        " not said.",
    )
    engines: Engines = Field(
        default=Engines(),
        description="Programs beside the server that are asked about each mail of strangers, and have a share in its"
        " score. One that does not answer stops no mail.",
    )


def without_engines(spam: Spam) -> Spam:
    """For where nobody but the server itself may be asked: they are its own, and their passwords lie there."""
    return spam.model_copy(update={"engines": Engines()})
