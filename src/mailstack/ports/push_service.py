"""Push services, which bring what they are given to a program on some device. RFC 8620 §7.2, RFC 8030 §5."""

from typing import Protocol

from mailstack.model.push import PushAnswer, PushSubscription
from mailstack.model.states import AccountStates


class PushService(Protocol):
    """Never raises for what the peer or the network does."""

    async def verify(self, subscription: PushSubscription) -> PushAnswer:
        """Tells the code of the subscription."""
        ...

    async def tell(self, subscription: PushSubscription, changed: AccountStates) -> PushAnswer: ...
