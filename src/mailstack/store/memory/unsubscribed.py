"""Who has left mailing lists, in memory."""

from collections.abc import Mapping

from mailstack.model.instant import Instant


class MemoryUnsubscribed:
    """Works as ports.unsubscribed.Unsubscribed."""

    def __init__(self) -> None:
        self._since: dict[str, dict[str, Instant]] = {}

    async def members(self, list_address: str) -> Mapping[str, Instant]:
        return dict(sorted(self._since.get(list_address, {}).items()))

    async def add(self, list_address: str, member: str, *, now: Instant) -> bool:
        left = self._since.setdefault(list_address, {})
        is_new = member not in left
        left.setdefault(member, now)
        return is_new

    async def remove(self, list_address: str, member: str) -> bool:
        return self._since.get(list_address, {}).pop(member, None) is not None
