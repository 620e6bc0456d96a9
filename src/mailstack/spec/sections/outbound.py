"""`relays` and `routes`: how mail leaves."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr

from mailstack.spec.sections.section import Section
from mailstack.spec.values import RelayHost, RoutePattern, SecretReference

DIRECT = "direct"
"""The `via` of a route to the recipient's own servers."""

RelayTls = Literal["implicit", "starttls", "none"]


def _standard_port(validated: Mapping[str, object]) -> int:
    # RFC 8314 §3.3, RFC 6409 §3.1, RFC 5321 §2.3.1.
    ports: Mapping[object, int] = {"implicit": 465, "starttls": 587, "none": 25}
    return ports.get(validated.get("tls"), 587)


class Relay(Section):
    """A server that takes our mail and passes it on."""

    host: RelayHost = Field(description="Its name or address.")
    tls: RelayTls = Field(
        default="starttls",
        description="implicit: TLS from the first byte; starttls: required, certificate verified; none: only where the"
        " network itself is trusted.",
    )
    port: int = Field(
        default_factory=_standard_port,
        ge=1,
        le=65_535,
        description="Default: 465 for implicit, 587 for starttls, 25 for none.",
    )
    username: SecretStr | None = Field(
        default=None, description="The login, as it is or by reference: env/NAME, file/PATH."
    )
    password: SecretReference | None = Field(default=None, description="By reference: env/NAME or file/PATH.")


class Route(Section):
    to: RoutePattern = Field(
        default="*", description='The recipient\'s domain, or a pattern: "*.example.com", "*" for all.'
    )
    via: str = Field(min_length=1, description="A name from relays, or direct: the recipient domain's own servers.")
