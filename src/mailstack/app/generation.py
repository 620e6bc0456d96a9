"""From a blueprint to the immutable services of one generation: what a connection begins with and ends with.

Built beside the generation that serves; nothing here starts, listens or writes. What cannot be built is named.
"""

import ipaddress
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mailstack.app.asked import Asked, asked_by
from mailstack.app.blueprint import Blueprint
from mailstack.app.build import Adapters, RunSettings
from mailstack.app.clock import system_clock
from mailstack.app.filtering import filter_of, server_scripts
from mailstack.app.mail_work import ListWork, MailWork, ban_rules_of, lists_of, smtp_service
from mailstack.app.routing import limits_of, route_table, schedule_of, sending_of, sources_of, suppress_rule_of
from mailstack.app.scoring import SpamKnowledge, judging_of, policies_of
from mailstack.app.sockets import https_port
from mailstack.app.web import web_service
from mailstack.app.web_targets import push_targets_of
from mailstack.clients.policy_host import HttpsPolicyHost
from mailstack.clients.push_service import HttpPushService, PushIdentity
from mailstack.clients.smtp.transport import SmtpTransport
from mailstack.formats.vapid import public_text
from mailstack.mailauth.dkim.keys import SigningKey, load
from mailstack.model.conduct import BanRules
from mailstack.model.errors import Invalid
from mailstack.model.ids import Generation
from mailstack.model.networks import Networks, networks_of
from mailstack.model.resource import (
    CertificateBody,
    DkimKeyBody,
    KeyState,
    Kind,
    LogBody,
    ServerBody,
)
from mailstack.net.resolver import DnsResolver
from mailstack.net.teller import Teller
from mailstack.net.tls import Identity, NameChoice, choice_of
from mailstack.ports.resolver import Resolver
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.service import HttpService
from mailstack.servers.http.signed_in import SignedIn
from mailstack.servers.http.sites import HTTPS_PORT
from mailstack.servers.imap.service import ImapLimits, ImapService
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.managesieve.service import ManageSieveLimits, ManageSieveService
from mailstack.servers.sasl import SaslService
from mailstack.servers.smtp.service import SmtpService
from mailstack.services.identity.delays import LoginDelays
from mailstack.services.identity.login import Login
from mailstack.services.identity.web_logins import WebLogins
from mailstack.services.inbound.deliver import Delivery
from mailstack.services.lists.lists import Lists
from mailstack.services.outbound.email_sending import EmailSending
from mailstack.services.outbound.service import OutboundService
from mailstack.services.outbound.sts import StsLookup
from mailstack.services.outbound.submit import Submission
from mailstack.services.outbound.suppression import Suppression
from mailstack.services.outbound.warming import Warming
from mailstack.services.push.rate import PushRate
from mailstack.services.scripts import AccountScripts
from mailstack.services.sending_identities import AccountIdentities
from mailstack.services.spam.namesakes import Namesakes
from mailstack.services.spam.scoring import SpamModels
from mailstack.services.vacations import AccountVacations
from mailstack.sieve.ext.enotify import NOTIFY_SCHEMES
from mailstack.sieve.extensions import EXTENSIONS
from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.session import SESSION_PATH

# Listeners that speak TLS from the first byte; the others offer STARTTLS.
IMPLICIT_TLS = ("submissions", "imaps", "https")
# RFC 7301 §6. Mail's listeners have none: nobody's browser is to be led to take one of them for a web server.
WEB_PROTOCOLS = ("http/1.1",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """proxies: who is believed whom they connect for. ban_rules: None: nobody is banned.
    log_rules: None: no events are kept. certificates: chosen by server
    name. login: looks in these domains; kept by the next generation that has the same ones, so that nobody has to prove
    anew who they are. resolver: asks these, and believes what they say of DNSSEC or not; likewise, with what it
    remembers."""

    generation: Generation
    proxies: Networks
    ban_rules: BanRules | None
    log_rules: LogBody | None
    certificates: NameChoice
    web_certificates: NameChoice
    login_domains: tuple[str, ...]
    login: Login
    resolvers: tuple[str, ...]
    is_validating: bool
    resolver: DnsResolver
    smtp: SmtpService
    imap: ImapService
    managesieve: ManageSieveService
    http: HttpService
    outbound: OutboundService
    push: HttpPushService


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What outlives generations. tls: looks the certificate up at each handshake; end_point: tells which it was, as
    servers.sasl asks for it. delays: of failed logins. models: of spam. before: the generation that serves now, None at
    the start."""

    adapters: Adapters
    settings: RunSettings
    tls: ssl.SSLContext
    end_point: Callable[[ssl.SSLObject], bytes | None]
    delays: LoginDelays
    models: SpamModels
    before: Services | None


def build_services(blueprint: Blueprint, around: Surroundings) -> Services:
    """Raises DomainError, naming the thing."""
    server = blueprint.server
    if server is None:
        raise Invalid("nothing is applied yet: no server to be")
    identities = identities_of(blueprint)
    for service in IMPLICIT_TLS:
        if service in blueprint.listeners and not identities:
            raise Invalid(f"listeners.{service} needs a certificate, and there is none")
    login, before = _login(blueprint, around), around.before
    resolver = _resolver(server, around)
    sasl = SaslService(login=login, end_point=around.end_point, token=around.adapters.token)
    store = around.adapters.store
    keys = signing_keys(blueprint)
    lists = lists_of(
        blueprint,
        ListWork(
            accounts=store.accounts,
            unsubscribed=store.unsubscribed,
            signing_keys=keys,
            clock=around.adapters.clock,
            resolver=resolver,
        ),
    )
    scripts = filter_of(
        store,
        server_scripts(blueprint.sieve),
        forwarding=lists.forwarding,
        policies=policies_of(blueprint),
        signing_keys=keys,
        token=around.adapters.token,
    )
    delivery = Delivery(mailboxes=store.mailboxes, messages=store.messages, queue=store.queue, filter_=scripts)
    imap = _imap(blueprint, server, around, sasl)
    managesieve = _managesieve(blueprint, server, around, sasl)
    asked = asked_by(blueprint, resolver, store.greylist, clock=around.adapters.clock)
    smtp = _smtp(blueprint, around, sasl, delivery, lists, keys, resolver, asked)
    jmap = _jmap(server, around, login, imap, managesieve.scripts, smtp.submission)
    return Services(
        generation=blueprint.generation,
        proxies=networks_of(server.proxy_from),
        ban_rules=ban_rules_of(blueprint, server),
        log_rules=server.log,
        certificates=choice_of(identities, before=before.certificates if before else None),
        web_certificates=choice_of(
            identities, protocols=WEB_PROTOCOLS, before=before.web_certificates if before else None
        ),
        login_domains=_login_domains(blueprint),
        login=login,
        resolvers=server.resolvers,
        is_validating=server.resolvers_validate,
        resolver=resolver,
        smtp=smtp,
        imap=imap,
        managesieve=managesieve,
        http=web_service(blueprint, server, around.adapters, around.settings, lists, jmap, resolver, asked),
        outbound=_outbound(blueprint, server, around, delivery, lists, resolver),
        push=HttpPushService(
            resolver,
            jmap.push_targets,
            PushIdentity(key=around.adapters.push_key, subject=f"mailto:postmaster@{server.hostname}"),
            tls=around.adapters.https_tls,
            clock=around.adapters.clock,
            token=around.adapters.token,
        ),
    )


def signing_keys(blueprint: Blueprint) -> Mapping[str, Sequence[SigningKey]]:
    """By domain. A key whose record nobody has seen yet, or that has retired, signs nothing."""
    keys: dict[str, list[SigningKey]] = {}
    for name, body in sorted(blueprint.bodies(DkimKeyBody).items()):
        if body.state != KeyState.SIGNS:
            continue
        private_pem = blueprint.secret(Kind.DKIM_KEY, name, "private_key")
        domain = blueprint.domains.get(body.domain)
        life_s = None if domain is None else domain.dkim_expire_after_s
        key = load(domain=body.domain, selector=body.selector, private_pem=private_pem, life_s=life_s)
        keys.setdefault(body.domain, []).append(key)
    return keys


def identities_of(blueprint: Blueprint) -> tuple[Identity, ...]:
    """The host name's own first: it is what clients get that ask for no name."""
    hostname = blueprint.server.hostname if blueprint.server else ""
    own = {hostname, f"*.{hostname.partition('.')[2]}"}
    found = [
        Identity(names=body.names, chain=body.certificate, key=blueprint.secret(Kind.CERTIFICATE, name, "key"))
        for name, body in sorted(blueprint.bodies(CertificateBody).items())
    ]
    return tuple(sorted(found, key=lambda identity: own.isdisjoint(map(str.lower, identity.names))))


def _login(blueprint: Blueprint, around: Surroundings) -> Login:
    adapters = around.adapters
    domains = _login_domains(blueprint)
    if around.before is not None and around.before.login_domains == domains:
        return around.before.login
    return Login(
        adapters.store.accounts,
        adapters.store.verifiers,
        adapters.store.app_passwords,
        around.delays,
        domains=domains,
        clock=adapters.clock,
        cache_key=adapters.cache_key,
    )


def _login_domains(blueprint: Blueprint) -> tuple[str, ...]:
    return tuple(sorted(name for name, body in blueprint.domains.items() if body.alias_of is None))


def _resolver(server: ServerBody, around: Surroundings) -> DnsResolver:
    asked, before = (server.resolvers, server.resolvers_validate), around.before
    if before is not None and (before.resolvers, before.is_validating) == asked:
        return before.resolver
    return DnsResolver(clock=system_clock, nameservers=server.resolvers, is_validating=server.resolvers_validate)


def _smtp(
    blueprint: Blueprint,
    around: Surroundings,
    sasl: SaslService,
    delivery: Delivery,
    lists: Lists,
    keys: Mapping[str, Sequence[SigningKey]],
    resolver: Resolver,
    asked: Asked,
) -> SmtpService:
    adapters = around.adapters
    work = MailWork(
        accounts=adapters.store.accounts,
        messages=adapters.store.messages,
        delivery=delivery,
        lists=lists,
        submitted=adapters.store.submitted,
        conduct=adapters.conduct,
        gate=asked.gate,
        judging=judging_of(blueprint, _spam_knowledge(blueprint, around, asked)),
        clock=adapters.clock,
        token=adapters.token,
        resolver=resolver,
        acquainted=adapters.experience.acquainted,
        teller=Teller(adapters.metrics),
    )
    return smtp_service(
        blueprint,
        work,
        sasl=sasl,
        signing_keys=keys,
        tls=around.tls if identities_of(blueprint) else None,
        plaintext_is_secure=_trusted(around.settings),
    )


def _spam_knowledge(blueprint: Blueprint, around: Surroundings, asked: Asked) -> SpamKnowledge:
    return SpamKnowledge(
        models=around.models,
        sources=[Namesakes(accounts=around.adapters.store.accounts, domains=frozenset(blueprint.domains))],
        elsewhere=[asked.lists],
        engines=asked.engines,
        experience=around.adapters.experience,
    )


def _imap(blueprint: Blueprint, server: ServerBody, around: Surroundings, sasl: SaslService) -> ImapService:
    store = around.adapters.store
    return ImapService(
        hostname=server.hostname,
        limits=ImapLimits(
            message_octets=server.message_size_bytes,
            connections_per_ip=server.connections_per_ip,
            connections_per_account=server.connections_per_account,
        ),
        tls=around.tls if identities_of(blueprint) else None,
        sasl=sasl,
        accounts=store.accounts,
        mailboxes=store.mailboxes,
        messages=store.messages,
        emails=store.emails,
        changes=store.changes,
        search=store.search,
        sharing=store.sharing,
        annotations=store.annotations,
        tree_changes=store.tree_changes,
        views=around.adapters.views,
        lessons=store.spam_lessons,
        bus=around.adapters.bus,
        conduct=around.adapters.conduct,
        clock=around.adapters.clock,
        plaintext_is_secure=_trusted(around.settings),
        jmap_url=_jmap_url(blueprint, server),
        teller=Teller(around.adapters.metrics),
        metrics=around.adapters.metrics,
    )


def _jmap_url(blueprint: Blueprint, server: ServerBody) -> str | None:
    """As the machine is asked from outside, as far as anybody here knows."""
    port = https_port(blueprint.listeners)
    if port is None:
        return None
    return f"https://{server.hostname}{'' if port == HTTPS_PORT else f':{port}'}{SESSION_PATH}"


def _managesieve(
    blueprint: Blueprint, server: ServerBody, around: Surroundings, sasl: SaslService
) -> ManageSieveService:
    store = around.adapters.store
    return ManageSieveService(
        hostname=server.hostname,
        limits=ManageSieveLimits(
            connections_per_ip=server.connections_per_ip, connections_per_account=server.connections_per_account
        ),
        tls=around.tls if identities_of(blueprint) else None,
        sasl=sasl,
        accounts=store.accounts,
        scripts=AccountScripts(
            store.scripts, store.accounts, EXTENSIONS, global_names=server_scripts(blueprint.sieve).named.keys()
        ),
        notify_schemes=NOTIFY_SCHEMES,
        conduct=around.adapters.conduct,
        plaintext_is_secure=_trusted(around.settings),
        teller=Teller(around.adapters.metrics),
    )


def _jmap(
    server: ServerBody,
    around: Surroundings,
    login: Login,
    imap: ImapService,
    scripts: AccountScripts,
    submission: Submission,
) -> JmapService:
    adapters = around.adapters
    return JmapService(
        login=login,
        mail_of=imap.mail_of,
        accounts=adapters.store.accounts,
        scripts=scripts,
        vacations=AccountVacations(adapters.store.vacations),
        uploads=adapters.store.uploads,
        object_journal=adapters.store.object_journal,
        identities=AccountIdentities(adapters.store.sending_identities, adapters.store.accounts, token=adapters.token),
        push_subscriptions=adapters.store.push_subscriptions,
        push_targets=push_targets_of(server, around.settings),
        push_rate=PushRate(adapters.clock),
        push_key=public_text(adapters.push_key),
        sending=EmailSending(
            submission=submission,
            kept=adapters.store.email_submissions,
            most_recipients=server.recipients,
            clock=adapters.clock,
            token=adapters.token,
        ),
        feed=adapters.feed,
        bus=adapters.bus,
        conduct=adapters.conduct,
        signed_in=_signed_in(adapters, login),
        clock=adapters.clock,
        plaintext_is_secure=_trusted(around.settings),
        limits=jmap_limits(server),
        metrics=adapters.metrics,
    )


def _signed_in(adapters: Adapters, login: Login) -> SignedIn:
    return SignedIn(
        web_logins=WebLogins(
            login=login,
            accounts=adapters.store.accounts,
            sessions=adapters.store.web_sessions,
            clock=adapters.clock,
            token=adapters.token,
        )
    )


def jmap_limits(server: ServerBody) -> JmapLimits:
    """What may be a message may be uploaded, as far as HTTP takes it."""
    upload_octets = min(max(server.message_size_bytes, JmapLimits().upload_octets), HttpLimits().body_bytes)
    return JmapLimits(message_octets=server.message_size_bytes, upload_octets=upload_octets)


def _outbound(
    blueprint: Blueprint,
    server: ServerBody,
    around: Surroundings,
    delivery: Delivery,
    lists: Lists,
    resolver: DnsResolver,
) -> OutboundService:
    adapters, sending = around.adapters, sending_of(blueprint)
    return OutboundService(
        hostname=server.hostname,
        accounts=adapters.store.accounts,
        delivery=delivery,
        forwarding=lists.forwarding,
        lists=lists,
        routes=route_table(blueprint, hold_outbound=around.settings.hold_outbound),
        transport=SmtpTransport(
            resolver,
            ehlo_domain=server.hostname,
            tls=adapters.tls_contexts,
            token=adapters.token,
            clock=adapters.clock,
            sources=sources_of(server),
        ),
        resolver=resolver,
        sts=StsLookup(
            resolver=resolver,
            policies=adapters.store.sts_policies,
            host=HttpsPolicyHost(resolver, tls=adapters.https_tls),
            clock=adapters.clock,
        ),
        warming=Warming(adapters.store.warm_days, clock=adapters.clock),
        suppression=Suppression(
            adapters.store.bad_addresses,
            suppress_rule_of(sending),
            hostname=server.hostname,
            clock=adapters.clock,
        ),
        token=adapters.token,
        schedule=schedule_of(sending),
        limits=limits_of(sending),
        is_backup=blueprint.receiving.is_backup,
    )


def _trusted(settings: RunSettings) -> Callable[[str], bool]:
    return _is_loopback if settings.trust_loopback else _is_nobody


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_nobody(_host: str) -> bool:
    return False
