"""`spam`: what is asked of who brings mail."""

from typing import Literal

from pydantic import Field

from mailstack.spec.sections.section import Section
from mailstack.spec.values import DomainName

MOST_LISTS = 10


class Spam(Section):
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
