"""Every page that this server has, on `http` and on `https`: written out in one place."""

from collections.abc import Mapping, Sequence
from functools import partial

from starlette.routing import Route, Router
from starlette.types import ASGIApp

from mailstack.app.asked import Asked
from mailstack.app.blueprint import Blueprint
from mailstack.app.build import Adapters, RunSettings
from mailstack.app.machine import machine_of
from mailstack.app.metrics.readings import Readings
from mailstack.app.runfiles import written_status
from mailstack.app.sockets import https_port
from mailstack.app.web_targets import picture_targets_of
from mailstack.app.well_known import well_known_pages
from mailstack.clients.picture_host import HttpPictureHost
from mailstack.formats.mta_sts import write_policy
from mailstack.model.client_settings import settings_hosts
from mailstack.model.resource import CertificateBody, ServerBody
from mailstack.model.tls_policy import StsMode, StsPolicy
from mailstack.ports.picture_host import PictureHost
from mailstack.ports.resolver import Resolver
from mailstack.servers.account.pages import AccountPages
from mailstack.servers.account.service import AccountService
from mailstack.servers.admin.directory import Directory
from mailstack.servers.admin.pages import AdminPages
from mailstack.servers.admin.service import AdminService
from mailstack.servers.api.service import ApiService
from mailstack.servers.http.acme import AcmeProofs
from mailstack.servers.http.health import Health
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.metrics import MetricsPage
from mailstack.servers.http.mta_sts import POLICY_HOST, MtaStsPolicies
from mailstack.servers.http.service import HttpService
from mailstack.servers.http.sign_in import SignInPages
from mailstack.servers.http.sites import Sites, ToHttps
from mailstack.servers.http.unsubscribe import UnsubscribePage
from mailstack.servers.jmap.pages import JmapPages
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.webmail.pages import WebmailPages
from mailstack.servers.webmail.picture_links import PictureLinks
from mailstack.servers.webmail.service import WebmailService
from mailstack.servers.wellknown.service import WellKnownService
from mailstack.services.identity.phone_links import PhoneLinks
from mailstack.services.inbound.forwarding import Forwarding
from mailstack.services.lists.lists import Lists
from mailstack.services.outbound.by_hand import HandReporter
from mailstack.services.pictures.fetching import PictureFetching


def web_service(
    blueprint: Blueprint,
    server: ServerBody,
    adapters: Adapters,
    settings: RunSettings,
    lists: Lists,
    jmap: JmapService,
    resolver: Resolver,
    asked: Asked,
) -> HttpService:
    health = Health(state=adapters.store.state, generation=blueprint.generation)
    proofs = AcmeProofs(challenges=adapters.store.challenges, clock=adapters.clock)
    policies = MtaStsPolicies(by_host=_policies(blueprint, server))
    mail = JmapPages(service=jmap).routes()
    sign_in = SignInPages(signed_in=jmap.signed_in, conduct=adapters.conduct).routes()
    host = HttpPictureHost(resolver, picture_targets_of(server, settings), tls=adapters.https_tls)
    webmail = WebmailPages(service=_webmail(blueprint, server, jmap, host)).routes()
    admin = AdminPages(service=_admin(adapters, settings, jmap, lists.forwarding, asked)).routes()
    lists_pages = UnsubscribePage(lists=lists).routes()
    for_programs = well_known_pages(blueprint, server, adapters.clock)
    account = AccountPages(service=_account(blueprint, adapters, jmap, for_programs.service)).routes()
    own = (
        *_api(adapters, settings).routes(),
        *lists_pages,
        *sign_in,
        *webmail,
        *admin,
        *account,
        *mail,
        *for_programs.routes(),
    )
    sites = _sites(blueprint, server, policies, own, for_programs.settings_routes())
    to_https = ToHttps(by_host=sites, port=https_port(blueprint.listeners))
    return HttpService(
        limits=HttpLimits(
            connections_per_ip=server.connections_per_ip, streams_per_account=server.connections_per_account
        ),
        # A sandbox is for programs that are not to be bothered with its certificate.
        plain=_pages(
            *health.routes(), *proofs.routes(), *(mail if settings.trust_loopback else ()), otherwise=to_https
        ),
        secure=_pages(*health.routes(), otherwise=Sites(by_host=sites)),
        figures=_pages(*health.routes(), *_figures(blueprint, adapters, settings)),
        clock=adapters.clock,
        token=adapters.token,
        metrics=adapters.metrics,
    )


def _figures(blueprint: Blueprint, adapters: Adapters, settings: RunSettings) -> Sequence[Route]:
    if "metrics" not in blueprint.listeners:
        return ()
    # Prometheus' client takes a tenth of a second to load, and memory in each process.
    from mailstack.app.metrics.scrape import Scrape

    readings = Readings(
        blueprint,
        queue=adapters.store.queue,
        state=adapters.store.state,
        storage=settings.storage.folder,
        bans=adapters.conduct.bans_in_force,
        clock=adapters.clock,
    )
    return MetricsPage(scrape=Scrape(cells=adapters.cells, readings=readings)).routes()


def _sites(
    blueprint: Blueprint,
    server: ServerBody,
    policies: MtaStsPolicies,
    routes: Sequence[Route],
    for_programs: Sequence[Route],
) -> Mapping[str, ASGIApp]:
    """By host name. The machine's own pages answer for every name that its certificates are good for."""
    own, policy = _pages(*policies.routes(), *routes), _pages(*policies.routes())
    settings = _pages(*for_programs)
    certified = (name.lower() for body in blueprint.bodies(CertificateBody).values() for name in body.names)
    return {
        **{name: own for name in certified if not name.startswith("*")},
        **dict.fromkeys(policies.by_host, policy),
        **{
            host: settings
            for name, body in blueprint.domains.items()
            if body.autoconfig
            for host in settings_hosts(name)
        },
        server.hostname: own,
    }


def _policies(blueprint: Blueprint, server: ServerBody) -> Mapping[str, bytes]:
    """RFC 8461 §4.1: mail for the domain is handed to no other host than this one and its backups."""
    exchangers = (server.hostname, *blueprint.receiving.backups)
    return {
        POLICY_HOST + name: write_policy(
            StsPolicy(
                mode=StsMode(body.mta_sts.mode),
                max_age_s=body.mta_sts.max_age_s,
                mx=exchangers,
            )
        )
        for name, body in blueprint.domains.items()
        if body.mta_sts is not None
    }


def _api(adapters: Adapters, settings: RunSettings) -> ApiService:
    return ApiService(
        tokens=adapters.store.tokens,
        state=adapters.store.state,
        queue=adapters.store.queue,
        issuance=adapters.store.issuance,
        calls=adapters.calls,
        running=partial(written_status, settings.storage.folder),
        failures=adapters.failures,
        clock=adapters.clock,
        token=adapters.token,
    )


def _webmail(blueprint: Blueprint, server: ServerBody, jmap: JmapService, host: PictureHost) -> WebmailService:
    return WebmailService(
        signed_in=jmap.signed_in,
        mail_of=jmap.mail_of,
        hostname=server.hostname,
        pictures=PictureFetching(host),
        picture_links=PictureLinks(key=blueprint.key_for("pictures")),
    )


def _admin(
    adapters: Adapters, settings: RunSettings, jmap: JmapService, forwarding: Forwarding, asked: Asked
) -> AdminService:
    return AdminService(
        signed_in=jmap.signed_in,
        store=adapters.store,
        directory=Directory(adapters.store.state),
        calls=adapters.calls,
        conduct=adapters.conduct,
        reporter=HandReporter(hostname=forwarding.hostname, forwarding=forwarding, token=adapters.token),
        running=partial(written_status, settings.storage.folder),
        rests=lambda: asked.rests,
        machine=lambda: machine_of(settings.storage, adapters.store.locks, now=adapters.clock()),
        clock=adapters.clock,
        token=adapters.token,
    )


def _account(blueprint: Blueprint, adapters: Adapters, jmap: JmapService, programs: WellKnownService) -> AccountService:
    return AccountService(
        signed_in=jmap.signed_in,
        conduct=adapters.conduct,
        state=adapters.store.state,
        app_passwords=adapters.store.app_passwords,
        phone_links=PhoneLinks(
            accounts=adapters.store.accounts,
            app_passwords=adapters.store.app_passwords,
            key=blueprint.key_for("phones"),
        ),
        settings_of=programs.settings_of,
        sign=programs.sign,
        mail_of=jmap.mail_of,
        clock=adapters.clock,
        token=adapters.token,
    )


def _pages(*routes: Route, otherwise: ASGIApp | None = None) -> Router:
    # A slash more or less is another address: the redirect would be made from whatever the Host field says.
    return Router(routes, redirect_slashes=False, default=otherwise)
