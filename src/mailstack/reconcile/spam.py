"""What the spec says of spam, for the server, its domains and accounts: each as a whole, whatever it leaves out."""

from mailstack.model.resource import (
    RSPAMD_PASSWORD,
    BitBody,
    ClamavBody,
    CodeBody,
    DnsListBody,
    Kind,
    RspamdBody,
    SpamBody,
    SpamPolicyBody,
)
from mailstack.reconcile.spam_rules import rule_body
from mailstack.reconcile.wanted import Secret, Secrets
from mailstack.spec.model import Spec
from mailstack.spec.sections.accounts import Account
from mailstack.spec.sections.spam import OFF, OwnSpam
from mailstack.spec.sections.spam_engines import Clamav, Rspamd
from mailstack.spec.sections.spam_lists import DnsList

SPAM_NAME = "spam"


def spam_body(spec: Spec) -> SpamBody:
    engines = spec.spam.engines
    return SpamBody(
        policy=_server_policy(spec),
        rules=tuple(map(rule_body, spec.spam.rules)),
        lists=tuple(map(_list, spec.spam.lists)),
        rspamd=None if engines.rspamd is None else _rspamd(engines.rspamd),
        clamav=None if engines.clamav is None else _clamav(engines.clamav),
    )


def rspamd_secrets(spec: Spec, secrets: Secrets, *, may_keep: bool) -> dict[str, Secret]:
    """may_keep: the server has the same rspamd already. What only it knows must not go to another."""
    rspamd = spec.spam.engines.rspamd
    if rspamd is None or rspamd.password is None:
        return {}
    path, reference = ("spam", "engines", "rspamd", "password"), rspamd.password.get_secret_value()
    if may_keep:
        return {RSPAMD_PASSWORD: secrets.read_or_keep(path, reference, Kind.SPAM, SPAM_NAME, RSPAMD_PASSWORD)}
    read = secrets.read(path, reference)
    return {RSPAMD_PASSWORD: secrets.unless_told(Kind.SPAM, SPAM_NAME, RSPAMD_PASSWORD, read)}


def _list(dns_list: DnsList) -> DnsListBody:
    codes = tuple(CodeBody(code=code, points=points) for code, points in dns_list.codes.items())
    bits = tuple(BitBody(bit=int(bit), points=points) for bit, points in dns_list.bits.items())
    return DnsListBody(zone=dns_list.zone, of=dns_list.of, points=dns_list.points, codes=codes, bits=bits)


def _rspamd(rspamd: Rspamd) -> RspamdBody:
    return RspamdBody(
        url=rspamd.url, deadline_s=int(rspamd.deadline.total_seconds()), max_points=float(rspamd.max_points)
    )


def _clamav(clamav: Clamav) -> ClamavBody:
    return ClamavBody(
        deadline_s=int(clamav.deadline.total_seconds()),
        max_size_bytes=clamav.max_size,
        on_virus=clamav.on_virus,
        socket=clamav.socket,
        host=clamav.host,
        port=None if clamav.socket else clamav.port,
    )


def domain_policy(spec: Spec, own: OwnSpam | None) -> SpamPolicyBody | None:
    """None: as the server has it."""
    return None if own is None else _policy(own, _server_policy(spec))


def account_policy(spec: Spec, login: str, account: Account) -> SpamPolicyBody | None:
    """None: as its domain has it."""
    if account.spam is None:
        return None
    domain = spec.domains.get(login.rpartition("@")[2])
    above = None if domain is None else domain_policy(spec, domain.spam)
    return _policy(account.spam, above or _server_policy(spec))


def _server_policy(spec: Spec) -> SpamPolicyBody:
    return _policy(spec.spam, SpamPolicyBody())


def _policy(own: OwnSpam, above: SpamPolicyBody) -> SpamPolicyBody:
    """Each as it is said here, also where that is null, else as above; off and on, and whom to let in or keep out, are
    each section's own."""
    said = own.model_fields_set
    return SpamPolicyBody(
        is_scored=own.scoring != OFF,
        junk_at=own.junk_at if "junk_at" in said else above.junk_at,
        reject_at=own.reject_at if "reject_at" in said else above.reject_at,
        allow=own.allow,
        block=own.block,
    )
