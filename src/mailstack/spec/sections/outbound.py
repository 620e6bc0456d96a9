"""`relays` and `routes`: how mail leaves."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WithJsonSchema

from mailstack.spec.sections.section import Section
from mailstack.spec.sections.sending import LeastTls
from mailstack.spec.values import (
    Duration,
    IpAddresses,
    RelayHost,
    RoutePattern,
    RouteSender,
    SecretReference,
    SocketPath,
)

DIRECT = "direct"
"""The `via` of a route to the recipient's own servers."""


def parse_start(value: object) -> date:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("not a day (YYYY-MM-DD)")


def check_over(over: timedelta) -> timedelta:
    if over % timedelta(days=1) or not timedelta(days=7) <= over <= timedelta(days=180):
        raise ValueError("no time for receivers to get used to it (whole days, 7d to 180d)")
    return over


WarmUpStart = Annotated[
    date,
    BeforeValidator(parse_start),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-12-01"]}),
]
RelayTls = Literal["implicit", "starttls", "none"]
RelayProtocol = Literal["smtp", "lmtp"]
LMTP: RelayProtocol = "lmtp"
LMTP_PORT = 24


def standard_tls(protocol: object) -> RelayTls:
    """LMTP is spoken to a mailbox server next door, which seldom has a certificate for it."""
    return "none" if protocol == LMTP else "starttls"


def _standard_port(validated: Mapping[str, object]) -> int:
    if validated.get("protocol") == LMTP:
        return LMTP_PORT  # RFC 2033 §5: not that of SMTP; what mailbox servers use, by custom
    # RFC 8314 §3.3, RFC 6409 §3.1, RFC 5321 §2.3.1.
    ports: Mapping[object, int] = {"implicit": 465, "starttls": 587, "none": 25}
    return ports.get(validated.get("tls"), 587)


class Relay(Section):
    """A server that takes our mail and passes it on."""

    host: RelayHost | None = Field(default=None, description="Its name or address.")
    socket: SocketPath | None = Field(
        default=None,
        description="In place of host, with protocol lmtp: the unix socket of a server on this machine, which the user"
        " of mailstack must be allowed to write to.",
    )
    protocol: RelayProtocol = Field(
        default="smtp",
        description="lmtp: the server is where the mail ends, such as another mailbox server, and answers for each"
        " recipient.",
    )
    tls: RelayTls = Field(
        default_factory=lambda validated: standard_tls(validated.get("protocol")),
        description="implicit: TLS from the first byte; starttls: required, certificate verified; none: only where the"
        " network itself is trusted. Default: starttls; none for lmtp.",
    )
    port: int = Field(
        default_factory=_standard_port,
        ge=1,
        le=65_535,
        description="Default: 465 for implicit, 587 for starttls, 25 for none; 24 for lmtp.",
    )
    username: SecretStr | None = Field(
        default=None, description="The login, as it is or by reference: env/NAME, file/PATH."
    )
    password: SecretReference | None = Field(default=None, description="By reference: env/NAME or file/PATH.")


class WarmUp(Section):
    """A share of the mail goes straight to its recipients' servers, more of it from day to day, and the rest by relay:
    so that receivers get to know a new address of ours."""

    start: WarmUpStart = Field(description="The first day, in UTC. Before it, all goes by the relay.")
    over: Annotated[Duration, AfterValidator(check_over)] = Field(
        default=timedelta(days=28),
        description="Until all of it goes direct, in whole days from 7d to 180d. The share grows from 1 % by the same"
        " factor each day, in the first two weeks also no more than 50 mails on the first day, and twice as many on"
        " each that follows. It is counted for each receiving provider by itself, by the exchangers of its domains: a"
        " day on which it puts off or refuses more than a tenth for who sends takes its share two days back.",
        json_schema_extra={"default": "28d"},
    )
    meanwhile: str = Field(min_length=1, description="The relay, of those in relays, that has the rest.")


class Route(Section):
    """A way out for mail that fits all of `from`, `to` and `mx`."""

    from_: RouteSender = Field(
        default="*",
        alias="from",
        description="The sender's domain, a pattern of it as in `to`, or one address, as the envelope has it when the"
        ' mail leaves; bounces have no sender, and only "*" takes them.',
    )
    to: RoutePattern = Field(
        default="*", description='The recipient\'s domain, or a pattern: "*.example.com", "*" for all.'
    )
    mx: RoutePattern = Field(
        default="*",
        description="The mail exchanger of the recipient's domain, or a pattern of it, whatever the domain: one of the"
        " best preference, or the domain itself where it has none. While DNS does not say, mail waits.",
        examples=["*.mail.protection.outlook.com", "*.google.com"],
    )
    via: str = Field(min_length=1, description="A name from relays, or direct: the recipient domain's own servers.")
    tls: LeastTls | None = Field(
        default=None,
        description="The least that mail of this route goes with, as in sending.tls. Default: sending.tls.",
    )
    source: IpAddresses | None = Field(
        default=None,
        description="What this mail leaves from: one of server.addresses, or a list of them. A receiver's addresses of"
        " a family that is named here are tried first. Default: all of server.addresses.",
        examples=["203.0.113.11"],
    )
    warmup: WarmUp | None = Field(
        default=None,
        description="Of a route via direct: little by little. `mailstack test` takes it as over, and says so.",
    )
