"""`sending`: how often mail is tried and how fast, when it is given up, and the least TLS that it goes with."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mailstack.spec.sections.section import Section
from mailstack.spec.values import Duration, RateValue, RoutePattern

MAX_WAITS = 50
LeastTls = Literal["opportunistic", "required", "verified"]


def check_wait(wait: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= wait <= timedelta(days=1):
        raise ValueError("no time to wait between two attempts (1m to 1d)")
    return wait


def check_lifetime(lifetime: timedelta) -> timedelta:
    if not timedelta(hours=1) <= lifetime <= timedelta(days=30):
        raise ValueError("no time in which mail is tried (1h to 30d)")
    return lifetime


def check_suppressed(length: timedelta) -> timedelta:
    if not timedelta(days=1) <= length <= timedelta(days=365):
        raise ValueError("no time to send nothing to an address (1d to 365d)")
    return length


def parse_suppress(value: object) -> object:
    if value is False or value in ("off", "no", "none"):
        raise ValueError("null is what suppresses no address")
    return value


class Suppress(Section):
    """An address of elsewhere whose server says on several days that there is no such mailbox, or that it is disabled,
    gets nothing for a while: who writes to it has the mail back at once, and is told why. Receivers count mail to
    addresses that do not exist against the sender. `mailstack suppress` lists, adds and removes such addresses."""

    after: int = Field(
        default=3,
        ge=1,
        le=20,
        description="Refusals (5.1.1, 5.1.6, 5.1.10, 5.2.1, to RCPT) at which an address is suppressed. They count when"
        " at least 20 hours lie between them, and for 90 days; mail that is taken ends the count. What a server says of"
        " the mail, its size, its sender or its policy never counts, nor does what relays that speak LMTP say.",
    )
    for_: Annotated[Duration, AfterValidator(check_suppressed)] = Field(
        default=timedelta(days=30),
        alias="for",
        description="How long nothing is sent to it, 1d to 365d. Then it is tried again as any other.",
        json_schema_extra={"default": "30d"},
    )


class Destination(Section):
    """How fast one provider is sent to, with all its mail servers together."""

    concurrency: int | None = Field(default=None, ge=1, le=100, description="Default: that of sending.")
    rate: RateValue | None = Field(default=None, description="Default: that of sending; null: any number.")


class Sending(Section):
    """A server that cannot take mail now is asked again, until the mail is too old: then its sender has it back."""

    # RFC 5321 §4.5.4.1: at least 30 minutes apart, with patience growing, given up after 4 to 5 days.
    schedule: tuple[Annotated[Duration, AfterValidator(check_wait)], ...] = Field(
        default=(
            timedelta(minutes=30),
            timedelta(hours=1),
            timedelta(hours=2),
            timedelta(hours=4),
            timedelta(hours=8),
        ),
        min_length=1,
        max_length=MAX_WAITS,
        description="How long to wait after the first attempt that was put off, after the second, and so on; the last"
        " one goes on. Each 1m to 1d. Many servers count attempts that come too often against the sender.",
        json_schema_extra={"default": ["30m", "1h", "2h", "4h", "8h"]},
    )
    lifetime: Annotated[Duration, AfterValidator(check_lifetime)] = Field(
        default=timedelta(days=5),
        description="How long mail is tried before it goes back to its sender; it is tried once more at the very end."
        " 1h to 30d. It counts for mail that waits already, too.",
        json_schema_extra={"default": "5d"},
    )
    concurrency: int = Field(
        default=5,
        ge=1,
        le=100,
        description="Connections to one destination at once, of each worker: to a relay, or to the mail exchangers of"
        " one or many domains. A destination that is in trouble or asks for less gets fewer, and is left alone for"
        " minutes where it refuses all; then again more and more.",
    )
    tls: LeastTls = Field(
        default="opportunistic",
        description="The least that mail goes with, whatever its recipients' domains say. opportunistic: TLS where it"
        " is offered; required: never without, under any certificate; verified: under a certificate for the name of the"
        " mail exchanger, or that DANE names. Mail that cannot have it waits, and goes back in the end. A relay has the"
        " tls of its own, and one on another machine must have some, unless this is opportunistic. Routes may say"
        " otherwise.",
    )
    rate: RateValue | None = Field(
        default=None,
        description="How many recipients one destination gets at most in any minute, hour or day (m, h, d), from all"
        " workers of a machine together; a tenth of them at once, the rest at an even pace. What is over it waits, and"
        " what people write passes by lists. Default: any number.",
    )
    destinations: dict[RoutePattern, Destination] = Field(
        default_factory=dict,
        description="For single providers, each with all its servers one destination: by the recipient's domain, by the"
        " server that takes its mail (an exchanger as in routes.mx, or a relay's host), or by a pattern of either. The"
        " first that fits counts.",
        json_schema_extra={"examples": [{"*.google.com": {"concurrency": 2, "rate": "20/m"}}]},
    )
    warn_after: Duration | None = Field(
        default=timedelta(hours=4),
        description="When a sender hears that their mail is late and still tried; null: never.",
        json_schema_extra={"default": "4h"},
    )
    suppress: Annotated[Suppress | None, BeforeValidator(parse_suppress)] = Field(
        default=Suppress(),
        description="When mail to an address that refuses all is not sent any more, but given back at once; null: it is"
        " always tried. What is suppressed by `mailstack suppress add` is so in any case.",
    )
