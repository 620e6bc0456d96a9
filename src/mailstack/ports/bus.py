"""Wake-ups between sessions, workers and nodes. Events carry no data and may be lost: whoever is woken looks at the
store, and looks now and then without being woken."""

from collections.abc import Callable
from typing import Protocol

QUEUE_TOPIC = "queue"
GENERATION_TOPIC = "generation"


def account_topic(account_id: str) -> str:
    return f"account/{account_id}"


class Bus(Protocol):
    def publish(self, topic: str) -> None:
        """Never blocks, never fails; reaches watchers of this process and of the others."""
        ...

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """wake runs on the loop, once or more after each publish. Returns what ends the watch."""
        ...
