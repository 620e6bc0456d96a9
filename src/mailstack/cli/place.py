"""Where a command looks: the server that a spec names, or a sandbox of that spec in its folder (`--state`).

In a sandbox the spec is the harmless one that was applied there, and DNS is the zone files beside it.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import reconciler_on, require_applied, sandbox_at, storage_of, store_to_read
from mailstack.model.errors import NotFound

if TYPE_CHECKING:
    from mailstack.app.sandbox import SandboxJob
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.resource import Snapshot
    from mailstack.ports.store import Store
    from mailstack.reconcile.dns.live import LiveDns
    from mailstack.reconcile.reconciler import Reconciler
    from mailstack.spec.load import LoadedSpec
    from mailstack.spec.model import Spec

state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of a sandbox, instead of the storage that SPEC names.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """loaded: as it is applied there. sandbox: None for the server itself."""

    loaded: "LoadedSpec"
    sandbox: "SandboxJob | None" = None

    @property
    def storage(self) -> "StoreAddress":
        return storage_of(self.loaded)

    @property
    def spec(self) -> "Spec":
        """With the zones that its records go to."""
        if self.sandbox is None:
            return self.loaded.spec
        from mailstack.app.sandbox_state import zones_folder
        from mailstack.reconcile.dns.publish import with_zone_files

        return with_zone_files(self.loaded.spec, zones_folder(self.storage.folder))

    def live_dns(self) -> "LiveDns":
        if self.sandbox is None:
            from mailstack.reconcile.dns.authoritative import authoritative_dns

            return authoritative_dns(self.loaded.spec)
        from mailstack.app.sandbox_state import zones_folder
        from mailstack.reconcile.dns.zone_text import ZoneFileDns

        return ZoneFileDns(zones_folder(self.storage.folder))

    def reconciler(self, store: "Store | None") -> "Reconciler":
        if self.sandbox is None or store is None:
            return reconciler_on(store, self.loaded, no_dns=False)
        from mailstack.app.reconcilers import sandbox_reconciler

        return sandbox_reconciler(store, self.sandbox, self.sandbox.passwords)


def place_of(loaded: "LoadedSpec", state: Path | None) -> Place:
    """Ends the command where nothing was applied in the folder. Raises Invalid where it holds no sandbox."""
    if state is None:
        return Place(loaded=loaded)
    from mailstack.app.sandbox import harmless, job_of

    storage = sandbox_at(state)
    require_applied(storage)
    job = job_of(storage.folder, asyncio.run(live_in(storage)))
    return Place(loaded=harmless(loaded, job), sandbox=job)


async def live_in(storage: "StoreAddress") -> "Snapshot":
    """Raises NotFound where no apply has made a store."""
    async with store_to_read(storage) as store:
        if store is None:
            raise NotFound(f"{storage}: nothing was applied yet")
        return await store.state.snapshot()
