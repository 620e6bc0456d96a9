"""Who in this process is to be woken for which topic: what every bus of store/ keeps."""

from collections.abc import Callable, KeysView
from contextlib import suppress

import structlog

log = structlog.get_logger()


class Watchers:
    def __init__(self) -> None:
        self._by_topic: dict[str, list[Callable[[], None]]] = {}

    @property
    def topics(self) -> KeysView[str]:
        """That somebody watches now."""
        return self._by_topic.keys()

    def add(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Returns what ends the watch."""
        self._by_topic.setdefault(topic, []).append(wake)

        def end() -> None:
            watching = self._by_topic.get(topic, [])
            with suppress(ValueError):
                watching.remove(wake)
            if not watching:
                self._by_topic.pop(topic, None)

        return end

    def wake(self, topic: str) -> None:
        for wake in tuple(self._by_topic.get(topic, ())):
            try:
                wake()
            except Exception:  # one that fails keeps no other from waking
                log.exception("a watcher failed", topic=topic)
