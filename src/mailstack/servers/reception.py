"""How a server takes a connection in and sees it off: who is banned, how many may come, how long they have for a login,
and what is said at the end. The only place that catches what nobody expected.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

import structlog

from mailstack.model.instant import iso
from mailstack.model.log_events import TurnedAwayEvent, TurnedAwayReason
from mailstack.net.admission import Entrance, Place, host_of
from mailstack.net.connections import Connections
from mailstack.net.teller import Teller
from mailstack.servers.conversation import Conversation, E, Farewell, PeerGone, R, ShutDown
from mailstack.services.conduct import Conduct
from mailstack.wire.framing import ProtocolFault

TOO_MANY_CONNECTIONS = Farewell("Too many connections from your address, try again later", is_for_now=True)
TOO_MANY_AT_ONCE = Farewell("Too many connections at once, close some before you open others", is_for_now=True)

log = structlog.get_logger()

Converse = Callable[[Place, asyncio.Timeout], Awaitable[None]]
"""From the greeting to the end. The timeout is of the login; who has logged in takes it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """login_s: from the greeting to a login. connections_per_ip: before one; strangers: those of all addresses in this
    process."""

    conduct: Conduct
    teller: Teller
    login_s: float
    connections_per_ip: int
    strangers: int


class Reception(Generic[E, R]):
    """service: as the log calls it. bye: a farewell in the protocol's own words."""

    def __init__(
        self, service: str, connections: Connections, entrance: Entrance, *, bye: Callable[[Farewell], R]
    ) -> None:
        self._service = service
        self._connections = connections
        self._entrance = entrance
        self._bye = bye

    async def receive(self, conversation: Conversation[E, R], rules: HouseRules, converse: Converse) -> None:
        """Returns when the connection is closed; raises nothing but cancellation."""
        stream = conversation.stream
        place = self._entrance.place(lambda: conversation.end(TOO_MANY_AT_ONCE))
        self._connections.add(conversation)
        try:
            await self._until_over(conversation, rules, place, converse)
        except (PeerGone, OSError):
            log.debug("connection lost", peer=stream.peer[0])
        except Exception:  # a bug ends its own connection, and nobody else's
            log.exception("bug", peer=stream.peer[0])
        finally:
            place.leave()
            self._connections.remove(conversation)
            await stream.close()

    async def _until_over(
        self, conversation: Conversation[E, R], rules: HouseRules, place: Place, converse: Converse
    ) -> None:
        """Raises PeerGone, OSError."""
        try:
            async with asyncio.timeout(rules.login_s) as login_deadline:
                farewell = self._turned_away(conversation, rules, place)
                if farewell is None:
                    farewell = await _ended(conversation, converse(place, login_deadline))
        except TimeoutError:
            farewell = Farewell("Too long without a login")
        if farewell is not None:
            conversation.say(self._bye(farewell))
        await conversation.flush()
        if farewell is not None and farewell.is_of_fault:
            await conversation.stream.drop_rest()

    def _turned_away(self, conversation: Conversation[E, R], rules: HouseRules, place: Place) -> Farewell | None:
        host = host_of(conversation.stream.peer)
        ban = rules.conduct.ban_of(host)
        if ban is not None:
            reason = TurnedAwayReason.BANNED
            farewell = Farewell(f"Too many failures from your address, come again after {iso(ban.until)}")
        elif not place.take_as_stranger(host, limit=rules.connections_per_ip, total=rules.strangers):
            reason, farewell = TurnedAwayReason.TOO_MANY_CONNECTIONS, TOO_MANY_CONNECTIONS
        else:
            return None
        rules.teller.tell_if_rare(TurnedAwayEvent(service=self._service, peer=host, reason=reason, reply=farewell.text))
        return farewell


async def _ended(conversation: Conversation[E, R], talk: Awaitable[None]) -> Farewell | None:
    """None: all that was to be said is said."""
    try:
        await talk
    except ShutDown as end:
        return end.farewell
    except ProtocolFault as fault:
        log.info("protocol fault", peer=conversation.stream.peer[0], fault=fault.text)
        return Farewell(sentence(fault.text), is_of_fault=True)
    except TimeoutError:
        return Farewell("Too long without a command")
    return None


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
