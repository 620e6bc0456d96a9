"""The filter of one generation: what its scripts are looked up, run and carried out with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.resource import ServerScriptBody, SieveBody
from mailstack.ports.accounts import Accounts
from mailstack.ports.annotations import Annotations
from mailstack.ports.mailboxes import DeliveryMailboxes
from mailstack.ports.scripts import RunScripts
from mailstack.ports.sieve_memory import SieveMemory
from mailstack.services.inbound.filter.carry_out import Filter
from mailstack.services.inbound.filter.decide import Judge
from mailstack.services.inbound.filter.knowledge import Knowledge
from mailstack.services.inbound.filter.letters import Pen
from mailstack.services.inbound.filter.places import Places
from mailstack.services.inbound.filter.shelf import NamedScript, ServerScripts, Shelf
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.spam.policies import Policies


class FilterStore(Protocol):
    """annotations: None where there are none."""

    @property
    def mailboxes(self) -> DeliveryMailboxes: ...
    @property
    def scripts(self) -> RunScripts: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def sieve_memory(self) -> SieveMemory: ...
    @property
    def annotations(self) -> Annotations | None: ...


def server_scripts(sieve: SieveBody) -> ServerScripts:
    """Those of the spec."""
    return ServerScripts(
        before=tuple(map(_named, sieve.before)),
        after=tuple(map(_named, sieve.after)),
        named={one.name: one.content.encode() for one in sieve.global_},
    )


def _named(script: ServerScriptBody) -> NamedScript:
    return NamedScript(name=script.name, content=script.content.encode())


def filter_of(
    store: FilterStore,
    server: ServerScripts,
    *,
    forwarding: Forwarding,
    policies: Policies,
    signing_keys: Mapping[str, Sequence[SigningKey]],
    token: Callable[[int], bytes],
    is_traced: bool = False,
) -> Filter:
    """token: random bytes. is_traced: each line that runs is told."""
    knowledge = Knowledge(
        places=Places(store.mailboxes),
        shelf=Shelf(scripts=store.scripts, accounts=store.accounts, server=server, is_traced=is_traced),
        accounts=store.accounts,
        memory=store.sieve_memory,
        annotations=store.annotations,
    )
    return Filter(
        judge=Judge(knowledge=knowledge, hostname=forwarding.hostname, policies=policies),
        forwarding=forwarding,
        pen=Pen(hostname=forwarding.hostname, signing_keys=signing_keys, token=token),
    )
