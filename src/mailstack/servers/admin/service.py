"""What the admin pages stand on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mailstack.model.instant import Clock
from mailstack.ports.store import Store
from mailstack.servers.admin.directory import Directory
from mailstack.servers.calls import Calls
from mailstack.servers.http.signed_in import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminService:
    """calls: carries out plans and applies. running: what the server says of its processes, None where it says
    nothing."""

    signed_in: SignedIn
    store: Store
    directory: Directory
    calls: Calls
    running: Callable[[], dict[str, Any] | None]
    clock: Clock
