"""What the server says it can do, at the greeting, after STARTTLS and when it is asked. RFC 5804 §1.7."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.wire.managesieve.responses import Capability

VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What scripts may use. extensions: as `require` names them. notify_schemes: of the URIs that notify takes."""

    extensions: Sequence[str]
    redirects: int
    notify_schemes: Sequence[str] = ()


def before_login(engine: Engine, *, offers_starttls: bool, mechanisms: Sequence[str]) -> tuple[Capability, ...]:
    """mechanisms: empty when a password must not be sent over this connection."""
    starttls = (Capability(name="STARTTLS"),) if offers_starttls else ()
    return (*_always(engine, mechanisms), *starttls)


def after_login(engine: Engine, *, owner: str, mechanisms: Sequence[str]) -> tuple[Capability, ...]:
    # RFC 5804 §2.1: the mechanisms are said again, so that a client may see that nobody has taken the better ones away.
    return (*_always(engine, mechanisms), Capability(name="OWNER", value=owner), Capability(name="UNAUTHENTICATE"))


def _always(engine: Engine, mechanisms: Sequence[str]) -> tuple[Capability, ...]:
    # RFC 5804 §4: notify-mechs is not empty.
    schemes = " ".join(engine.notify_schemes)
    return (
        Capability(name="IMPLEMENTATION", value="mailstack"),
        Capability(name="VERSION", value=VERSION),
        Capability(name="SASL", value=" ".join(mechanisms)),
        Capability(name="SIEVE", value=" ".join(engine.extensions)),
        Capability(name="MAXREDIRECTS", value=str(engine.redirects)),
        *((Capability(name="NOTIFY", value=schemes),) if schemes else ()),
    )
