"""The filter of one generation: what its scripts are looked up, run and carried out with."""

from collections.abc import Callable, Mapping, Sequence

from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.ports.store import Store
from mailstack.services.inbound.filter.carry_out import Filter
from mailstack.services.inbound.filter.decide import Judge
from mailstack.services.inbound.filter.knowledge import Knowledge
from mailstack.services.inbound.filter.letters import Pen
from mailstack.services.inbound.filter.places import Places
from mailstack.services.inbound.filter.shelf import ServerScripts, Shelf
from mailstack.services.inbound.forwarding import Forwarding


def filter_of(
    store: Store,
    server: ServerScripts,
    *,
    forwarding: Forwarding,
    signing_keys: Mapping[str, Sequence[SigningKey]],
    token: Callable[[int], bytes],
) -> Filter:
    """token: random bytes."""
    knowledge = Knowledge(
        places=Places(store.mailboxes),
        shelf=Shelf(scripts=store.scripts, accounts=store.accounts, server=server),
        accounts=store.accounts,
        memory=store.sieve_memory,
        annotations=store.annotations,
    )
    return Filter(
        judge=Judge(knowledge=knowledge, hostname=forwarding.hostname),
        forwarding=forwarding,
        pen=Pen(hostname=forwarding.hostname, signing_keys=signing_keys, token=token),
    )
