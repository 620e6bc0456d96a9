"""A bus that remembers what was published and wakes its watchers at once."""

from collections.abc import Callable


class RecordingBus:
    def __init__(self) -> None:
        self.published: list[str] = []
        self._watchers: list[tuple[str, Callable[[], None]]] = []

    def publish(self, topic: str) -> None:
        self.published.append(topic)
        for watched, wake in tuple(self._watchers):
            if watched == topic:
                wake()

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        entry = (topic, wake)
        self._watchers.append(entry)
        return lambda: self._watchers.remove(entry)

    @property
    def watched(self) -> set[str]:
        return {topic for topic, _ in self._watchers}
