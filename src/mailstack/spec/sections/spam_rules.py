"""Rules of a server that give points, and lists of senders whom it lets in or keeps out."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid
from mailstack.spec.sections.rules import MailParts, OfAddress, OfText
from mailstack.spec.sections.section import Section
from mailstack.spec.values import parse_address_key, parse_domain, parse_network

MAX_RULES = 200
MAX_SENDERS = 2_000
"""Of one list: it is looked through for each mail."""
BELOW = "*."
ANYBODY = ("@", "*@")
"""So other programs write all addresses of a domain, for which its name is enough."""
_RULE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def parse_sender(text: str) -> str:
    if text.startswith(ANYBODY):
        raise ValueError(f"not a mail address; did you mean {text.removeprefix('*').removeprefix('@')}?")
    if "@" in text:
        return parse_address_key(text)
    if "/" in text or ":" in text or text.replace(".", "").isdigit():
        return parse_network(text)
    below = text.removeprefix(BELOW)
    try:
        # A whole top-level domain may be kept out, and is no domain that mail could be from.
        name = domain_key(below) if below != text and "." not in below else parse_domain(below)
        return text.removesuffix(below) + name
    except (ValueError, Invalid):
        raise ValueError(
            "not a sender: an address (a@example.org), a domain (example.org, *.example.org for all below it) or a"
            " network (192.0.2.0/24)"
        ) from None


def parse_rule_name(text: str) -> str:
    if not _RULE_NAME.fullmatch(text):
        raise ValueError("not the name of such a rule (up to 63 small letters, digits and hyphens)")
    return text


Senders = Annotated[tuple[Annotated[str, AfterValidator(parse_sender)], ...], Field(max_length=MAX_SENDERS)]
RulePoints = Annotated[float, Field(ge=-100, le=100)]
RuleName = Annotated[str, AfterValidator(parse_rule_name)]


class SpamCondition(MailParts):
    """Which mail gets the points. Of several keys, all must hold."""

    link: OfAddress | None = Field(default=None, description="The host of a link; domain: it, or one below it.")
    attachment: OfText | None = Field(default=None, description="The name of an attached file.")
    sender: OfAddress | None = Field(default=None, description="The return path; of a bounce there is none.")
    any_: tuple["SpamCondition", ...] | None = Field(
        default=None, alias="any", min_length=1, description="At least one of these conditions holds."
    )
    all_: tuple["SpamCondition", ...] | None = Field(
        default=None, alias="all", min_length=1, description="All of these conditions hold."
    )
    not_: "SpamCondition | None" = Field(default=None, alias="not", description="This condition does not hold.")


class SpamRule(Section):
    name: RuleName = Field(description="What X-Spam-Explained calls it: lower case, with hyphens.")
    if_: SpamCondition = Field(alias="if", description="Which mail it is for.")
    points: RulePoints = Field(description="Above 0 for spam, below 0 against it.")
