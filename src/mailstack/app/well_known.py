"""What the settings pages of a generation say, and with what profiles are signed."""

from mailstack.app.blueprint import Blueprint
from mailstack.formats.signed_profile import Sign, load_signer
from mailstack.model.client_settings import ClientSettings, reachable_ports
from mailstack.model.host_pattern import covers
from mailstack.model.instant import Clock
from mailstack.model.resource import CertificateBody, Kind, ServerBody
from mailstack.reconcile.providers.certs import is_self_issued
from mailstack.servers.wellknown.pages import WellKnownPages
from mailstack.servers.wellknown.service import WellKnownService


def well_known_pages(blueprint: Blueprint, server: ServerBody, clock: Clock) -> WellKnownPages:
    domains, ports = blueprint.domains, reachable_ports(blueprint.listeners)

    def settings_of(name: str) -> ClientSettings | None:
        body = domains.get(name)
        if body is None:
            return None
        login_domain = body.alias_of or name
        return ClientSettings(domain=name, login_domain=login_domain, hostname=server.hostname, ports=ports)

    # The domain that the host is in, if it is one of ours.
    around = [name for name in domains if f".{server.hostname}".endswith(f".{name}")]
    contact = max(around, key=len, default=next(iter(domains), server.hostname))
    return WellKnownPages(
        service=WellKnownService(
            settings_of=settings_of,
            sign=_signer(blueprint, server),
            contact=f"postmaster@{contact}",
            clock=clock,
        )
    )


def _signer(blueprint: Blueprint, server: ServerBody) -> Sign | None:
    """By the host's certificate; None where no device would trust it."""
    for name, body in blueprint.bodies(CertificateBody).items():
        is_own = body.certificate and any(covers(each, server.hostname) for each in body.names)
        if is_own and not is_self_issued(body.certificate):
            return load_signer(body.certificate, blueprint.secret(Kind.CERTIFICATE, name, "key"))
    return None
