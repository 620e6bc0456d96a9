"""Pushing, as one worker of all does it."""

from mailstack.app.build import RunSettings
from mailstack.model.networks import LOOPBACK, networks_of
from mailstack.model.resource import ServerBody
from mailstack.net.own_address import is_own
from mailstack.services.push.targets import PushTargets


def push_targets_of(server: ServerBody, settings: RunSettings) -> PushTargets:
    # A sandbox tells nobody elsewhere anything.
    is_sandbox = settings.trust_loopback
    return PushTargets(
        also=LOOPBACK if is_sandbox else networks_of(server.push_to),
        has_internet=not is_sandbox,
        own=frozenset(server.addresses),
        is_own=is_own,
    )
