"""`receiving`: what is asked of mail from strangers before it is taken."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mailstack.spec.sections.section import Section
from mailstack.spec.values import DomainName, Duration, PeerNetwork

LOOPBACK = ("127.0.0.0/8", "::1/128")


def check_deadline(deadline: timedelta) -> timedelta:
    # RFC 5321 §4.5.3.2.6: a sender waits ten minutes for the reply to its message.
    if not timedelta(seconds=1) <= deadline <= timedelta(minutes=2):
        raise ValueError("no time in which a sender is answered (1s to 2m)")
    return deadline


class Receiving(Section):
    """Who really sent a mail is looked up in DNS: SPF, DKIM, DMARC and ARC; what was found stands in the
    Authentication-Results field on top of it."""

    dmarc: Literal["enforce", "mark"] = Field(
        default="enforce",
        description="What becomes of mail whose From domain asks for it to be refused or set apart when it is forged"
        " (RFC 9989). enforce: refused, or put into the mailbox for junk, and a From field with several domains, or"
        " one that cannot be read, is refused; mark: delivered as any other, and the result stands in the"
        " Authentication-Results field.",
    )
    spf_fail: Literal["mark", "reject"] = Field(
        default="mark",
        description="What becomes of mail from a server that the sender's SPF record rules out, and that DMARC does not"
        " vouch for. mark: the result stands in the Authentication-Results field; reject: it is refused. Forwarded"
        " mail often fails SPF through no fault of its sender.",
    )
    on_dns_failure: Literal["accept", "defer"] = Field(
        default="accept",
        description="What becomes of mail whose sender cannot be told because DNS does not answer. accept: it is taken,"
        " with a temperror in the Authentication-Results field; defer: the sender is told to come again, for as long"
        " as DNS of the From domain fails.",
    )
    dns_deadline: Annotated[Duration, AfterValidator(check_deadline)] = Field(
        default=timedelta(seconds=10),
        description="How long all questions to DNS about one mail may take together. 1s to 2m.",
        json_schema_extra={"default": "10s"},
    )
    trusted_sealers: tuple[DomainName, ...] = Field(
        default=(),
        description="Forwarders and mailing lists whose word is taken: mail that fails DMARC here is delivered when one"
        " of these domains has sealed (ARC, RFC 8617) that it passed there.",
    )
    trusted_peers: tuple[PeerNetwork, ...] = Field(
        default=LOOPBACK,
        description="Addresses and networks of machines that are ours: what they bring is not checked. Default: this"
        " machine itself.",
    )
