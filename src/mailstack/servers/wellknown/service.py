"""What the pages of settings need: everything comes in here, nothing is looked up elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

from mailstack.model.client_settings import ClientSettings
from mailstack.model.instant import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class WellKnownService:
    """settings_of: by domain, None for one that is not ours. sign: what a profile is signed with, None for nothing that
    a device would trust. contact: whom faults of security are told to, as an address."""

    settings_of: Callable[[str], ClientSettings | None]
    sign: Callable[[bytes], bytes] | None
    contact: str
    clock: Clock
