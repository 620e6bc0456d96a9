"""How mail programs find the server of an address: SRV records, and the names that they ask for settings by HTTPS.

Not the settings themselves, which servers.wellknown shows. RFC 2782, RFC 6186, RFC 8314 §5.1, RFC 5804 §1.8,
RFC 8620 §2.2; draft-ietf-mailmaint-autoconfig-06, draft-ietf-mailmaint-pacc-03, MS-OXDISCO §3.1.5.
"""

from collections.abc import Iterator

from mailstack.formats.pacc import write_pacc, write_pacc_record
from mailstack.model.client_settings import SERVICES, ClientSettings, reachable_ports, settings_hosts
from mailstack.reconcile.dns.record_set import RecordSet, text_record
from mailstack.spec.sections.domains import Domain
from mailstack.spec.sections.server import Listeners

# RFC 6186 §3.4: of two services for one purpose, the lower priority is preferred; RFC 8314 §3: that is TLS at once.
ANNOUNCED = (
    *(("submissions", "submissions", 0), ("submission", "submission", 10)),
    *(("imaps", "imaps", 0), ("imap", "imap", 10)),
    *(("pop3s", "pop3s", 0), ("pop3", "pop3", 0)),
    ("sieve", "managesieve", 0),
    *(("jmap", "https", 0), ("autodiscover", "https", 0)),
)
"""As the record has it, as the listeners have it, and the priority."""
# RFC 2782: a target of "." says that the service is decidedly not there.
NOT_THERE = "0 0 0 ."


def discovery_records(name: str, hostname: str, listeners: Listeners) -> Iterator[RecordSet]:
    ports = _ports(listeners)
    for service, listener, priority in ANNOUNCED:
        port = ports.get(listener)
        value = NOT_THERE if port is None else f"{priority} 1 {port} {hostname}."
        yield RecordSet(name=f"_{service}._tcp.{name}", type="SRV", values=(value,))


def settings_records(name: str, domain: Domain, hostname: str, listeners: Listeners) -> Iterator[RecordSet]:
    for host in settings_hosts(name):
        if host != hostname:
            yield RecordSet(name=host, type="CNAME", values=(f"{hostname}.",))
    settings = ClientSettings(
        domain=name, login_domain=domain.alias_of or name, hostname=hostname, ports=_ports(listeners)
    )
    yield text_record(f"_ua-auto-config.{name}", write_pacc_record(write_pacc(settings)))


def _ports(listeners: Listeners) -> dict[str, int]:
    return reachable_ports({"smtp": listeners.smtp, **{name: getattr(listeners, name) for name in SERVICES}})
