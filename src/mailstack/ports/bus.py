"""Wake-ups between sessions, workers and nodes. Events carry no data and may be lost: whoever is woken looks at the
store, and looks now and then without being woken."""

from collections.abc import Callable
from typing import Protocol

from mailstack.model.ids import AccountId

QUEUE_TOPIC = "queue"
GENERATION_TOPIC = "generation"
CHALLENGE_TOPIC = "challenge"
CROWD_TOPIC = "crowd"
BAN_TOPIC = "ban"
HAND_TOPIC = "hand"
LESSON_TOPIC = "lesson"
SPAM_TOPIC = "spam"
APP_PASSWORD_TOPIC = "app_password"
PUSH_TOPIC = "push"


def account_topic(account_id: str) -> str:
    return f"account/{account_id}"


def account_of_topic(topic: str) -> AccountId | None:
    """The inverse of account_topic; None for other topics."""
    kind, _, account_id = topic.partition("/")
    return AccountId(account_id) if kind == "account" else None


class Bus(Protocol):
    def publish(self, topic: str) -> None:
        """Never blocks, never fails; reaches watchers of this process and of the others."""
        ...

    def watch(self, topic: str, wake: Callable[[], None]) -> Callable[[], None]:
        """wake runs on the loop, once or more after each publish. Returns what ends the watch."""
        ...
