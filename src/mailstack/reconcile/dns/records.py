"""The records that the spec asks for, all of them. Pure.

What each says is in reconcile.dns.kinds, who publishes them in zones, and what else a zone holds in ownership.
"""

from collections.abc import Iterator

from mailstack.reconcile.dns.kinds.caa import caa_records
from mailstack.reconcile.dns.kinds.discovery import discovery_records, settings_records
from mailstack.reconcile.dns.kinds.dkim import dkim_record
from mailstack.reconcile.dns.kinds.dmarc import dmarc_records
from mailstack.reconcile.dns.kinds.host import host_records
from mailstack.reconcile.dns.kinds.mail import mail_records
from mailstack.reconcile.dns.kinds.no_mail import no_mail_records
from mailstack.reconcile.dns.kinds.transport import tlsa_records, transport_records
from mailstack.reconcile.dns.material import Material
from mailstack.reconcile.dns.record_set import RecordSet
from mailstack.spec.model import Spec
from mailstack.spec.sections.server import BACKUP_MX


def wanted_records(spec: Spec, material: Material) -> tuple[RecordSet, ...]:
    return tuple(_records(spec, material))


def _records(spec: Spec, material: Material) -> Iterator[RecordSet]:
    if spec.server.role == BACKUP_MX:
        return  # its primary says where mail goes
    hostname = spec.server.hostname
    yield from host_records(spec)
    yield from caa_records(spec, material.account)
    yield from tlsa_records(hostname, material.key_digests)
    for name, domain in spec.domains.items():
        yield from mail_records(name, domain.spf, hostname, spec.server.backups)
        yield from dmarc_records(name, domain.dmarc, material.dmarc_stages.get(name))
        yield from transport_records(name, domain, hostname, spec.server.backups)
        if domain.discovery:
            yield from discovery_records(name, hostname, spec.server.listeners)
        if domain.autoconfig:
            yield from settings_records(name, domain, hostname, spec.server.listeners)
    for name in spec.dns.no_mail:
        yield from no_mail_records(name)
    for key in material.dkim_keys:
        if key.domain in spec.domains:
            yield dkim_record(key)
