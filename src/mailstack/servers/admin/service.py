"""What the admin pages stand on."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mailstack.model.instant import Clock
from mailstack.ports.store import Store
from mailstack.servers.admin.directory import Directory
from mailstack.servers.admin.machine import Machine
from mailstack.servers.calls import Calls
from mailstack.servers.http.signed_in import SignedIn
from mailstack.services.conduct import Conduct
from mailstack.services.outbound.bounce import Reporter
from mailstack.services.spam.breaker import Rest


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminService:
    """calls: carries out plans and applies. running: what the server says of its processes, None where it says
    nothing. reporter: in whose name senders hear of mail that is given up. conduct: knows whom nobody bans.
    rests: who is not asked about mail just now, as this worker has found. token: random octets."""

    signed_in: SignedIn
    store: Store
    directory: Directory
    calls: Calls
    conduct: Conduct
    reporter: Reporter
    running: Callable[[], dict[str, Any] | None]
    rests: Callable[[], Sequence[Rest]]
    machine: Callable[[], Awaitable[Machine]]
    clock: Clock
    token: Callable[[int], bytes]
