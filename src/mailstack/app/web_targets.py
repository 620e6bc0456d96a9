"""Which hosts are asked over HTTP since a client, or a mail, named them."""

from mailstack.app.build import RunSettings
from mailstack.formats.web_url import PORTS
from mailstack.model.networks import LOOPBACK, NOWHERE, networks_of
from mailstack.model.resource import ServerBody
from mailstack.net.own_address import is_own
from mailstack.services.web_targets import WebTargets


def push_targets_of(server: ServerBody, settings: RunSettings) -> WebTargets:
    # A sandbox tells nobody elsewhere anything.
    is_sandbox = settings.trust_loopback
    return WebTargets(
        also=LOOPBACK if is_sandbox else networks_of(server.push_to),
        has_internet=not is_sandbox,
        own=frozenset(server.addresses),
        is_own=is_own,
    )


def picture_targets_of(server: ServerBody, settings: RunSettings) -> WebTargets:
    """Much mail names its pictures without TLS; who alters them on their way alters a picture."""
    is_sandbox = settings.trust_loopback
    return WebTargets(
        also=LOOPBACK if is_sandbox else NOWHERE,
        has_internet=not is_sandbox,
        own=frozenset(server.addresses),
        is_own=is_own,
        in_plain=True,
        ports=frozenset(PORTS.values()),
    )
