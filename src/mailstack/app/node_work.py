"""What a worker does because there are other nodes: it looks for what they did, and keeps limits together with them."""

from collections.abc import Callable, Sequence

from mailstack.app.build import Adapters
from mailstack.app.catching_up import CatchingUp, Looked
from mailstack.app.crowds import CrowdKeeper
from mailstack.app.runfiles import written_status
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import node_at
from mailstack.model.ids import Generation
from mailstack.net.admission import Admission
from mailstack.store.bus_nodes import NodesBus

WORKER_BYTES = 8


class NodeWork:
    """Begun both; end ends both."""

    def __init__(self, catching_up: CatchingUp, crowds: CrowdKeeper | None) -> None:
        self._catching_up = catching_up
        self._crowds = crowds

    async def end(self) -> None:
        if self._crowds is not None:
            await self._crowds.end()
        await self._catching_up.end()


def join_nodes(
    adapters: Adapters, storage: StoreAddress, admissions: Sequence[Admission], served: Callable[[], Generation]
) -> NodeWork | None:
    """None: there is this machine alone. served: what this worker serves."""
    bus, store = adapters.bus, adapters.store
    if not isinstance(bus, NodesBus):
        return None

    def known() -> Generation:
        # A generation that changed zones alone changes no worker; its supervisor knows it.
        status = written_status(storage.folder) or {}
        return max(served(), Generation(int(status.get("generation", 0))))

    looked = Looked(changes=store.changes, queue=store.queue, state=store.state, clock=adapters.clock, served=known)
    node, worker = node_at(storage), adapters.token(WORKER_BYTES).hex()
    crowds = store.crowds
    return NodeWork(
        CatchingUp(bus, looked),
        None
        if crowds is None
        else CrowdKeeper(crowds, bus, admissions, node=node, worker=worker, clock=adapters.clock),
    )
