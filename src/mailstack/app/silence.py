"""Buses for processes whose writes nobody needs to be woken for: those who wait are told another way."""

from collections.abc import Callable

from mailstack.ports.bus import GENERATION_TOPIC, Bus
from mailstack.store.bus_nodes import NodesBus


class Silence:
    """Works as ports.bus.Bus."""

    def publish(self, topic: str) -> None: ...

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002
        return lambda: None


class QuietGenerations:
    """Works as ports.bus.Bus, for the applier: its supervisor hears of what was applied over their own line, and would
    take a second word for somebody else's apply. Other nodes are told."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def publish(self, topic: str) -> None:
        if topic != GENERATION_TOPIC:
            self._bus.publish(topic)
        elif isinstance(self._bus, NodesBus):
            self._bus.publish_elsewhere(topic)

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        return self._bus.watch(topic, wake)
