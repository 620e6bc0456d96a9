"""What a checked spec leaves to defaults and to the place of its file, filled in."""

from pathlib import Path

from mailstack.spec.model import Spec
from mailstack.spec.sections.accounts import Account, AccountDefaults
from mailstack.spec.sections.domains import Dkim, Dmarc
from mailstack.spec.sections.server import BACKUP_MX, NOT_OF_BACKUPS, CertificateFiles, Tls
from mailstack.spec.sections.storage import Storage
from mailstack.spec.sections.tests import SpecTest


def expand(spec: Spec, directory: Path) -> Spec:
    """Accounts take from `defaults` what they do not say; paths become absolute. directory: of the main file."""
    base = directory.absolute()
    expanded = spec.model_copy(
        update={
            "accounts": _with_defaults(spec.accounts, spec.defaults.account),
            "storage": _storage(spec.storage, base),
            "tls": _tls(spec.tls, base),
            "tests": tuple(_with_absolute_eml(test, base) for test in spec.tests),
        }
    )
    return as_backup(expanded) if spec.server.role == BACKUP_MX else expanded


def as_backup(spec: Spec) -> Spec:
    """What a backup mail exchanger is left with of the spec that it shares with its primary."""
    server = spec.server.model_copy(
        update={"listeners": spec.server.listeners.model_copy(update=dict.fromkeys(NOT_OF_BACKUPS, ())), "backups": ()}
    )
    unpublished = {"dkim": Dkim.model_construct(algorithms=(), keys=()), "dmarc": Dmarc(policy="none"), "mta_sts": None}
    domains = {name: domain.model_copy(update=unpublished) for name, domain in spec.domains.items()}
    dns = spec.dns.model_copy(update={"zones": {}, "no_mail": ()})
    return spec.model_copy(update={"server": server, "domains": domains, "dns": dns})


def _with_defaults(accounts: dict[str, Account], defaults: AccountDefaults) -> dict[str, Account]:
    """`quota: null` says something, namely no limit."""
    given = {name: getattr(defaults, name) for name in defaults.model_fields_set}
    if not given:
        return accounts
    expanded = {}
    for address, account in accounts.items():
        missing = {name: value for name, value in given.items() if name not in account.model_fields_set}
        expanded[address] = account.model_copy(update=missing) if missing else account
    return expanded


def _storage(storage: Storage, base: Path) -> Storage:
    found: dict[str, object] = {"path": base / storage.path}
    if storage.blobs is not None and storage.blobs.s3.ca is not None:
        s3 = storage.blobs.s3.model_copy(update={"ca": base / storage.blobs.s3.ca})
        found["blobs"] = storage.blobs.model_copy(update={"s3": s3})
    if storage.events is not None and storage.events.ca is not None:
        found["events"] = storage.events.model_copy(update={"ca": base / storage.events.ca})
    return storage.model_copy(update=found)


def _tls(tls: Tls, base: Path) -> Tls:
    found: dict[str, object] = {"files": tuple(_absolute(pair, base) for pair in tls.files)}
    if tls.acme.ca is not None:
        found["acme"] = tls.acme.model_copy(update={"ca": base / tls.acme.ca})
    return tls.model_copy(update=found)


def _absolute(pair: CertificateFiles, base: Path) -> CertificateFiles:
    return pair.model_copy(update={"certificate": base / pair.certificate})


def _with_absolute_eml(test: SpecTest, base: Path) -> SpecTest:
    if test.send is None or test.send.eml is None:
        return test
    send = test.send.model_copy(update={"eml": base / test.send.eml})
    return test.model_copy(update={"send": send})
