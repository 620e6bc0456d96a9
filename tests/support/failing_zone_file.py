"""An octoDNS provider whose service breaks down: it reads, and cannot write while a file `down` lies beside it."""

from pathlib import Path

from mailstack.reconcile.dns.zone_file import ZoneFileProvider


class FailingZoneFile(ZoneFileProvider):
    def __init__(self, id: str, directory: str, **settings: object) -> None:  # noqa: A002  octoDNS's word
        super().__init__(id, directory, **settings)
        self._down = Path(directory) / "down"

    def _apply(self, plan: object) -> None:
        if self._down.exists():
            raise RuntimeError("503 Service Unavailable: try again later")
        super()._apply(plan)  # type: ignore[arg-type]  # octoDNS's own plan
