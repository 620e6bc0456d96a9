"""What the spec asks of the server itself: every resource, with its secrets read.

Two kinds need the live state as well: signing keys and self-signed certificates are made once and kept. DNS records
are in reconcile.dns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from mailstack.model.instant import Instant, earliest
from mailstack.model.password import is_other_hash, weakness_of
from mailstack.model.principal import Posters
from mailstack.model.resource import (
    AccountBody,
    AddressNameBody,
    AliasBody,
    BansBody,
    DestinationBody,
    DkimKeyBody,
    DnsZoneBody,
    DomainBody,
    ForwardBody,
    Kind,
    LimitsBody,
    ListBody,
    ListenerBody,
    LogBody,
    MtaStsBody,
    ReceivingBody,
    RelayBody,
    RouteBody,
    RoutesBody,
    ScriptBody,
    SendingBody,
    ServerBody,
    ServerScriptBody,
    SieveBody,
    Snapshot,
    SpamBody,
    SuppressBody,
    WarmUpBody,
    body_of,
    limits_body,
)
from mailstack.model.sending_limits import SendingLimits
from mailstack.ports.dmarc_evidence import Evidence
from mailstack.reconcile.dns.sighting import Observed, Question
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.providers.acme import Ordering
from mailstack.reconcile.providers.dmarc import Facts, ahead_of_records, stage_questions, wanted_stages
from mailstack.reconcile.providers.keys import Keys, key_questions, wanted_keys
from mailstack.reconcile.providers.mta_sts import ahead_of_certificate
from mailstack.reconcile.providers.tls import certificate_questions, wanted_certificates
from mailstack.reconcile.spam import SPAM_NAME, account_policy, domain_policy, rspamd_secrets, spam_body
from mailstack.reconcile.wanted import Kept, Secret, Secrets, Wanted
from mailstack.spec.faults import SpecInvalid
from mailstack.spec.model import Spec
from mailstack.spec.rules import sieve_of
from mailstack.spec.secrets import is_reference
from mailstack.spec.sections.accounts import Account, SubmissionLimits
from mailstack.spec.sections.domains import Domain
from mailstack.spec.sections.log import Log
from mailstack.spec.sections.outbound import Relay, Route
from mailstack.spec.sections.sending import Sending, Suppress
from mailstack.spec.sections.server import BACKUP_MX, Bans, Server

SERVER_NAME = "server"
ROUTES_NAME = "routes"
RECEIVING_NAME = "receiving"
SIEVE_NAME = "sieve"
SENDING_NAME = "sending"
LISTENERS = ("smtp", "lmtp", "submission", "submissions", "imap", "imaps", "managesieve", "http", "https", "metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the desired state depends on besides the spec. passwords: by account, instead of what the spec says.
    certificate_names: further names for a self-signed certificate. ordering: of certificates, as far as it can be done.
    observed: what DNS shows of the records that `questions` named. evidence: what receivers reported of domains whose
    DMARC policy is due for the next stage. scripts: the Sieve that the spec names, by path as it has them.
    """

    live: Snapshot
    secrets: Secrets
    now: Instant
    passwords: Mapping[str, str]
    certificate_names: tuple[str, ...]
    ordering: Ordering
    observed: Observed = field(default_factory=dict)
    evidence: Mapping[str, Evidence | None] = field(default_factory=dict)
    scripts: Mapping[Path, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """again_at: the earliest moment at which the same spec may ask for something else; None: only a change can.
    endings: why DKIM keys that are no longer wanted go, by name."""

    wanted: tuple[Wanted, ...]
    warnings: tuple[PlanWarning, ...]
    again_at: Instant | None = None
    endings: Mapping[str, str] = field(default_factory=dict)


def questions(spec: Spec, live: Snapshot, now: Instant) -> tuple[Question, ...]:
    """What must be looked at in DNS before the desired state can be told."""
    return (
        *key_questions(spec, live),
        *certificate_questions(spec, live),
        *stage_questions(spec, live, now),
    )


def desired_state(spec: Spec, given: Given) -> Desired:
    """Raises SpecInvalid that names every secret and file which cannot be used."""
    certificates = wanted_certificates(
        spec,
        given.live,
        given.secrets,
        now=given.now,
        further_names=given.certificate_names,
        ordering=given.ordering,
        observed=given.observed,
    )
    keys = wanted_keys(spec, given.live, given.secrets, given.observed, given.now)
    facts = Facts(live=given.live, observed=given.observed, evidence=given.evidence, now=given.now)
    stages = wanted_stages(spec, facts)
    wanted = (
        *_server(spec, given.secrets),
        *_receiving(spec, given.secrets),
        *_spam(spec, given),
        *_sieve(spec, given),
        *certificates.wanted,
        *_domains(spec, given.secrets),
        *keys.wanted,
        *stages.wanted,
        *_accounts(spec, given),
        *_scripts(spec, given),
        *_aliases(spec, given.secrets),
        *_lists(spec, given.secrets),
        *_sending(spec, given.secrets),
        *_relays(spec, given),
        *_routes(spec, given.secrets),
        *_zones(spec, given.secrets),
    )
    if given.secrets.faults:
        raise SpecInvalid(given.secrets.faults)
    return Desired(
        wanted=wanted,
        warnings=(
            *certificates.warnings,
            *keys.warnings,
            *stages.warnings,
            *ahead_of_records(spec, _bodies(keys), stages.wanted),
            *ahead_of_certificate(spec, certificates.wanted, given.now),
        ),
        again_at=earliest(certificates.again_at, keys.again_at, stages.again_at),
        endings=keys.endings,
    )


def _bodies(keys: Keys) -> tuple[DkimKeyBody, ...]:
    return tuple(body_of(DkimKeyBody, item.resource) for item in keys.wanted)


def _server(spec: Spec, secrets: Secrets) -> Iterator[Wanted]:
    server = spec.server
    body = ServerBody(
        hostname=server.hostname,
        addresses=tuple(each.address for each in server.addresses),
        workers=server.workers,
        message_size_bytes=server.limits.message_size,
        recipients=server.limits.recipients,
        connections_per_ip=server.limits.connections_per_ip,
        connections_per_account=server.limits.connections_per_account,
        proxy_from=server.proxy_from,
        bans=None if server.bans is None else _bans(server.bans),
        resolvers=spec.dns.resolvers,
        resolvers_validate=spec.dns.validating,
        address_names=tuple(
            AddressNameBody(address=each.address, name=each.name)
            for each in server.addresses
            if each.name is not None and each.name != server.hostname
        ),
        push_to=server.push_to,
        log=_log(spec.log),
    )
    yield secrets.wanted(Kind.SERVER, SERVER_NAME, body)
    for service, endpoints in listeners_in(server).items():
        if endpoints:
            yield secrets.wanted(Kind.LISTENER, service, ListenerBody(endpoints=endpoints))


def listeners_in(server: Server) -> dict[str, tuple[str, ...]]:
    """By service, as ListenerBody has its endpoints."""
    listeners = server.listeners
    found: dict[str, tuple[str, ...]] = {service: getattr(listeners, service) for service in LISTENERS}
    return {**found, "lmtp": (*listeners.lmtp, *map(str, listeners.lmtp_sockets))}


def _bans(bans: Bans) -> BansBody:
    return BansBody(
        after=bans.after,
        first_s=int(bans.for_.total_seconds()),
        longest_s=int(max(bans.for_, bans.up_to).total_seconds()),
        never=bans.never,
    )


def _log(log: Log) -> LogBody | None:
    return None if log.keep is None else LogBody(keep_s=int(log.keep.total_seconds()), max_bytes=log.max_size)


def _receiving(spec: Spec, secrets: Secrets) -> Iterator[Wanted]:
    receiving = spec.receiving
    body = ReceivingBody(
        dmarc=receiving.dmarc,
        spf_fail=receiving.spf_fail,
        on_dns_failure=receiving.on_dns_failure,
        dns_deadline_s=int(receiving.dns_deadline.total_seconds()),
        trusted_sealers=receiving.trusted_sealers,
        trusted_peers=receiving.trusted_peers,
        is_backup=spec.server.role == BACKUP_MX,
        backups=spec.server.backups,
        greylist=spec.spam.greylist,
        blocklists=spec.spam.blocklists,
    )
    if body != ReceivingBody():
        yield secrets.wanted(Kind.RECEIVING, RECEIVING_NAME, body)


def _spam(spec: Spec, given: Given) -> Iterator[Wanted]:
    body = spam_body(spec)
    if body != SpamBody():
        held = given.live.resources.get((Kind.SPAM, SPAM_NAME))
        may_keep = held is not None and body_of(SpamBody, held).rspamd == body.rspamd
        secrets = rspamd_secrets(spec, given.secrets, may_keep=may_keep)
        yield given.secrets.wanted(Kind.SPAM, SPAM_NAME, body, secrets)


def _sieve(spec: Spec, given: Given) -> Iterator[Wanted]:
    def script(path: Path, name: str) -> ServerScriptBody:
        return ServerScriptBody(name=name, content=given.scripts[path])

    sieve = spec.sieve
    body = SieveBody(
        before=tuple(script(each.file, each.file.name) for each in sieve.before),
        after=tuple(script(each.file, each.file.name) for each in sieve.after),
        global_=tuple(script(each.file, name) for name, each in sorted(sieve.global_.items())),
    )
    if body != SieveBody():
        yield given.secrets.wanted(Kind.SIEVE, SIEVE_NAME, body)


def _domains(spec: Spec, secrets: Secrets) -> Iterator[Wanted]:
    for name, domain in spec.domains.items():
        expire_after = domain.dkim.expire_after
        body = DomainBody(
            catch_all=domain.catch_all,
            subaddress_separators=domain.subaddress_separators,
            alias_of=domain.alias_of,
            dkim_algorithms=domain.dkim.algorithms,
            mta_sts=_mta_sts(domain),
            dkim_expire_after_s=None if expire_after is None else int(expire_after.total_seconds()),
            spam=domain_policy(spec, domain.spam),
            autoconfig=domain.autoconfig,
        )
        yield secrets.wanted(Kind.DOMAIN, name, body)


def _mta_sts(domain: Domain) -> MtaStsBody | None:
    if domain.mta_sts is None:
        return None
    return MtaStsBody(mode=domain.mta_sts.mode, max_age_s=int(domain.mta_sts.max_age.total_seconds()))


def _accounts(spec: Spec, given: Given) -> Iterator[Wanted]:
    for login, account in spec.accounts.items():
        password = given.passwords.get(login) or _password(login, account, given.secrets)
        secrets = {"password": password} if password else {}
        yield given.secrets.wanted(Kind.ACCOUNT, login, _account_body(spec, login, account), secrets)


def _scripts(spec: Spec, given: Given) -> Iterator[Wanted]:
    for login, account in spec.accounts.items():
        if account.sieve is not None:
            body = ScriptBody(content=given.scripts[account.sieve.file], origin="file")
        elif account.rules:
            body = ScriptBody(content=sieve_of(account.rules), origin="rules")
        else:
            continue
        yield given.secrets.wanted(Kind.SCRIPT, login, body)


def _password(login: str, account: Account, secrets: Secrets) -> Secret:
    """The hash or the plain secret; "" for none. Which of them it is, apply finds out by looking at it."""
    if account.password is None:
        return ""
    text = account.password.get_secret_value()
    if not is_reference(text):
        return text
    path = ("accounts", login, "password")
    found = secrets.read_or_keep(path, text, Kind.ACCOUNT, login, "password")
    if isinstance(found, Kept):
        return found
    reason = "a hash of a kind that logins cannot be checked against" if is_other_hash(found) else weakness_of(found)
    if reason:
        secrets.report(path, f"the secret {text} holds no usable password: {reason}")
    return found


def _account_body(spec: Spec, login: str, account: Account) -> AccountBody:
    defaults, given = spec.defaults.account, account.model_fields_set
    return AccountBody(
        name=account.name,
        addresses=account.addresses,
        roles=_words(account.roles),
        abilities=_words(account.can if "can" in given else defaults.can),
        # `quota: null` says "no limit" even where the defaults have one.
        quota_bytes=account.quota if "quota" in given else defaults.quota,
        forward=ForwardBody(targets=account.forward.to, keep=account.forward.keep) if account.forward else None,
        limits=_limits(defaults.limits, account.limits),
        spam=account_policy(spec, login, account),
    )


def _limits(defaults: SubmissionLimits, own: SubmissionLimits) -> LimitsBody | None:
    """Each as the account has it, also where it says null, else as the defaults do."""
    said = own.model_fields_set
    if not said:
        return _default_limits(defaults)
    found = {name: getattr(own if name in said else defaults, name) for name in SubmissionLimits.model_fields}
    return limits_body(SendingLimits(**found))


@cache
def _default_limits(defaults: SubmissionLimits) -> LimitsBody | None:
    """Asked for every account; most accounts say nothing."""
    return limits_body(SendingLimits(**defaults.model_dump()))


@cache
def _words(members: tuple[StrEnum, ...]) -> tuple[str, ...]:
    """Asked for every account; most accounts say the same."""
    return tuple(sorted({member.value for member in members}))


def _aliases(spec: Spec, secrets: Secrets) -> Iterator[Wanted]:
    for name, targets in spec.aliases.items():
        yield secrets.wanted(Kind.ALIAS, name, AliasBody(targets=targets))


def _lists(spec: Spec, secrets: Secrets) -> Iterator[Wanted]:
    for name, mailing_list in spec.lists.items():
        post = mailing_list.post
        body = ListBody(
            name=mailing_list.name,
            description=mailing_list.description,
            members=mailing_list.members,
            owners=mailing_list.owners,
            post=post if isinstance(post, str) else Posters.NAMED.value,
            posters=() if isinstance(post, str) else post,
            subject_prefix=mailing_list.subject_prefix,
            reply_to=mailing_list.reply_to,
            unsubscribe=mailing_list.unsubscribe,
        )
        yield secrets.wanted(Kind.LIST, name, body)


def _sending(spec: Spec, secrets: Secrets) -> Iterator[Wanted]:
    sending = spec.sending
    body = SendingBody(
        schedule_s=tuple(int(wait.total_seconds()) for wait in sending.schedule),
        lifetime_s=int(sending.lifetime.total_seconds()),
        warn_after_s=None if sending.warn_after is None else int(sending.warn_after.total_seconds()),
        concurrency=sending.concurrency,
        tls=None if sending.tls == "opportunistic" else sending.tls,
        suppress=None if sending.suppress is None else _suppress(sending.suppress),
        rate=None if sending.rate is None else str(sending.rate),
        destinations=_destinations(sending),
    )
    if body != SendingBody():
        yield secrets.wanted(Kind.SENDING, SENDING_NAME, body)


def _suppress(suppress: Suppress) -> SuppressBody:
    return SuppressBody(after=suppress.after, for_s=int(suppress.for_.total_seconds()))


def _destinations(sending: Sending) -> tuple[DestinationBody, ...] | None:
    """With all that they leave to the rest."""
    found = []
    for name, destination in sending.destinations.items():
        rate = destination.rate if "rate" in destination.model_fields_set else sending.rate
        concurrency = sending.concurrency if destination.concurrency is None else destination.concurrency
        found.append(DestinationBody(name=name, concurrency=concurrency, rate=None if rate is None else str(rate)))
    return tuple(found) or None


def _relays(spec: Spec, given: Given) -> Iterator[Wanted]:
    for name, relay in spec.relays.items():
        protocol = None if relay.protocol == "smtp" else relay.protocol
        body = RelayBody(
            host=relay.host or "",
            port=None if relay.socket else relay.port,
            tls=relay.tls,
            protocol=protocol,
            socket=relay.socket,
        )
        held = given.live.resources.get((Kind.RELAY, name))
        # A login that only the server knows must not go to another host.
        may_keep = held is not None and body_of(RelayBody, held) == body
        yield given.secrets.wanted(Kind.RELAY, name, body, _credentials(name, relay, given.secrets, may_keep=may_keep))


def _credentials(name: str, relay: Relay, secrets: Secrets, *, may_keep: bool) -> dict[str, Secret]:
    if relay.username is None or relay.password is None:
        return {}

    def read(secret: str, reference: str) -> Secret:
        path = ("relays", name, secret)
        if may_keep:
            return secrets.read_or_keep(path, reference, Kind.RELAY, name, secret)
        return secrets.unless_told(Kind.RELAY, name, secret, secrets.read(path, reference))

    username = relay.username.get_secret_value()
    return {
        "username": read("username", username)
        if is_reference(username)
        else secrets.unless_told(Kind.RELAY, name, "username", username),
        "password": read("password", relay.password.get_secret_value()),
    }


def _routes(spec: Spec, secrets: Secrets) -> Iterator[Wanted]:
    if spec.routes:
        yield secrets.wanted(Kind.ROUTES, ROUTES_NAME, RoutesBody(routes=tuple(map(_route, spec.routes))))


def _route(route: Route) -> RouteBody:
    sender, mx = (None if pattern == "*" else pattern for pattern in (route.from_, route.mx))
    warm_up = None
    if route.warmup is not None:
        warm_up = WarmUpBody(
            start=route.warmup.start.isoformat(), days=route.warmup.over.days, meanwhile=route.warmup.meanwhile
        )
    return RouteBody(
        from_=sender, to=route.to, mx=mx, via=route.via, warmup=warm_up, tls=route.tls, source=route.source
    )


def _zones(spec: Spec, secrets: Secrets) -> Iterator[Wanted]:
    for name, zone in spec.dns.zones.items():
        yield secrets.wanted(Kind.DNS_ZONE, name, DnsZoneBody(provider=zone.provider, ttl_s=zone.ttl))
