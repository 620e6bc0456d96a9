"""Zone files in a folder, <folder>/<zone>.zone: where a sandbox's DNS is, and LiveDns on them. RFC 1035 §5."""

from pathlib import Path

import dns.exception
import dns.name
import dns.rdatatype
import dns.zone

from mailstack.model.errors import Damaged
from mailstack.reconcile.dns.live import NOT_ASKED, Seen, Sight
from mailstack.reconcile.dns.presentation import text_of, values_of

SERVER = "zone file"


def zone_path(directory: Path, zone_name: str) -> Path:
    return directory / f"{zone_name.rstrip('.').replace('/', '-')}.zone"


def read_zone(directory: Path, zone_name: str) -> dns.zone.Zone | None:
    """Raises Damaged. None for a zone without a file."""
    path = zone_path(directory, zone_name)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return dns.zone.from_text(text, zone_name, relativize=False)
    except dns.exception.DNSException as fault:
        raise Damaged(f"{path} is no zone file: {fault}") from fault


class ZoneFileDns:
    """Works as LiveDns: the files are the only server there is."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def seen(self, zone: str, name: str, record_type: str) -> Seen:
        try:
            held = read_zone(self._directory, f"{zone or self._zone_of(name)}.")
        except Damaged as fault:
            return Seen(failure=fault.detail)
        sight = Sight(server=SERVER) if held is None else _sight(held, dns.name.from_text(name), record_type)
        return Seen(sights=(sight,))

    async def resolved(self, name: str, record_type: str) -> Sight:  # noqa: ARG002  nothing leaves the sandbox
        return Sight(server="", failure=NOT_ASKED)

    def _zone_of(self, name: str) -> str:
        """The longest that has a file, or the name."""
        labels = name.split(".")
        candidates = (".".join(labels[at:]) for at in range(len(labels)))
        return next((zone for zone in candidates if zone_path(self._directory, zone).exists()), name)


def _sight(held: dns.zone.Zone, name: dns.name.Name, record_type: str) -> Sight:
    found = held.get_rdataset(name, record_type)
    if found is not None:
        return Sight(server=SERVER, values=values_of(found), ttl_s=found.ttl)
    alias = held.get_rdataset(name, dns.rdatatype.CNAME)
    return Sight(server=SERVER, alias="" if alias is None else text_of(alias[0]))
