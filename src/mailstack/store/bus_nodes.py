"""The bus of a process on one of several nodes: its machine's own, and the one between the nodes beside it.

The machine's needs nothing to be up, so its workers hear of each other whatever becomes of the other one; and what goes
between nodes is marked with the node that it came from, which does not hear it twice.
"""

import hashlib
from collections.abc import Callable, KeysView
from pathlib import Path

from mailstack.store.bus_far import FarBus
from mailstack.store.bus_local import LocalBus

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
NODE_DIGITS = 16


class NodesBus:
    """local, far: not started yet, or both started."""

    def __init__(self, local: LocalBus, far: FarBus) -> None:
        self._local = local
        self._far = far

    async def start(self) -> None:
        """Raises OSError when the machine's own cannot be had; the other may come later."""
        await self._local.start()
        await self._far.start()

    async def close(self) -> None:
        await self._far.close()
        await self._local.close()

    @property
    def topics(self) -> KeysView[str]:
        """That are watched here."""
        return self._local.topics

    def wake(self, topic: str) -> None:
        """Those who watch it here, at once."""
        self._local.wake(topic)

    def publish(self, topic: str) -> None:
        self._local.publish(topic)
        self._far.publish(topic)

    def publish_here(self, topic: str) -> None:
        """To the processes of this machine: what came from another node, for those who hear of none."""
        self._local.publish(topic)

    def publish_elsewhere(self, topic: str) -> None:
        """To other nodes, for one whose own machine knows already."""
        self._far.publish(topic)

    def watch_others(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """What other nodes publish, and this process."""
        return self._far.watch(topic, wake)

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        ends = self._local.watch(topic, wake), self._far.watch(topic, wake)

        def end() -> None:
            for each in ends:
                each()

        return end


def node_of(folder: Path) -> str:
    """The mark of all processes that share this folder's sockets, and of nobody else: it must exist. Raises OSError.

    Two machines that share a folder by the network do not share its sockets, nor do two containers of one name.
    """
    found = folder.stat()
    known = f"{BOOT_ID.read_text().strip()} {found.st_dev} {found.st_ino}"
    return hashlib.sha256(known.encode()).hexdigest()[:NODE_DIGITS]
