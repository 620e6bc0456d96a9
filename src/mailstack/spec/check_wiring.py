"""Whether the rest of a spec holds together: listeners, certificates, DNS providers and zones, relays and routes."""

import re
from collections.abc import Iterator, Mapping

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path
from mailstack.spec.nearest import Vocabulary, did_you_mean
from mailstack.spec.outline import Named, Outline, items, mapping, parsed, section
from mailstack.spec.secrets import is_reference
from mailstack.spec.sections.domains import MANUAL_PROVIDER
from mailstack.spec.sections.outbound import DIRECT
from mailstack.spec.sections.server import BACKUP_MX, NOT_OF_BACKUPS, Listeners
from mailstack.spec.values import parse_domain, parse_endpoint, parse_ip, parse_route_pattern
from mailstack.spec.yaml_values import Value

_SECRET_NAME = re.compile(r"token|secret|passw|api[_-]?key|private[_-]?key|credential", re.IGNORECASE)
_EVERY_HOST = frozenset({"0.0.0.0", "[::]"})  # noqa: S104  compared with, not bound
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1")


def check_wiring(document: Document, spec: Outline) -> Iterator[Fault]:
    values = document.values
    yield from _server_addresses(document, values)
    yield from _endpoints(document, values)
    yield from _backup(document, values)
    yield from _tls(document, values, spec)
    yield from _providers(document, values)
    yield from _zones(document, values, spec)
    yield from _no_mail(document, values, spec)
    yield from _policy_hosts_with_mail(document, values, spec)
    yield from _relays(document, values)
    yield from _routes(document, values)


def _server_addresses(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, item in enumerate(items(section(values, "server").get("addresses"))):
        address = parsed(item, ("server", "addresses", index), parse_ip)
        if address and address.name in seen:
            yield document.fault(address.path, f"{address.name} is listed twice")
        if address:
            seen.add(address.name)


def _endpoints(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    """Standard ports count too, for services that the spec does not name."""
    given = section(values, "server", "listeners")
    taken: dict[str, list[Named]] = {}
    for service, field in Listeners.model_fields.items():
        for index, item in enumerate(items(given.get(service, field.default))):
            endpoint = parsed(item, ("server", "listeners", service, index), parse_endpoint)
            if endpoint is None:
                continue
            on_port = taken.setdefault(endpoint.name.rpartition(":")[2], [])
            other = next((other for other in on_port if _overlap(endpoint.name, other.name)), None)
            if other:
                spot = endpoint if service in given else other
                message = f"{endpoint.name} is taken twice: {other.path[2]} and {service} listen there"
                yield document.fault(spot.path, message)
            on_port.append(endpoint)


def _backup(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    if section(values, "server").get("role") != BACKUP_MX:
        return
    for service, endpoints in section(values, "server", "listeners").items():
        if service in NOT_OF_BACKUPS and endpoints:
            message = f"a backup-mx has no mailboxes and takes no logins: take {service} out of its listeners"
            yield document.fault(("server", "listeners", service), message)
    if section(values, "server").get("backups"):
        yield document.fault(("server", "backups"), "a backup-mx has no backups: name them in the primary's spec")


def _overlap(endpoint: str, other: str) -> bool:
    """Of two on one port: with the same host, or one of them for every host."""
    host = endpoint.rpartition(":")[0]
    other_host = other.rpartition(":")[0]
    if host == other_host or "" in (host, other_host):
        return True
    is_same_family = host.startswith("[") == other_host.startswith("[")
    return is_same_family and (host in _EVERY_HOST or other_host in _EVERY_HOST)


def _tls(document: Document, values: Mapping[str, Value], spec: Outline) -> Iterator[Fault]:
    tls = section(values, "tls")
    issuer = tls.get("issuer", "self-signed")
    if issuer == "files" and not tls.get("files"):
        yield document.fault(("tls", "issuer"), "needs the list `files`: {certificate: PATH, key: file/PATH}")
    if tls.get("files") and issuer in ("self-signed", "acme"):
        yield document.fault(("tls", "files"), "is used only with `issuer: files`", at_key=True)
    if tls.get("acme") and issuer in ("self-signed", "files"):
        yield document.fault(("tls", "acme"), "is used only with `issuer: acme`", at_key=True)
    if issuer == "acme":
        yield from _acme(document, values, spec)


def _acme(document: Document, values: Mapping[str, Value], spec: Outline) -> Iterator[Fault]:
    challenge = section(values, "tls", "acme").get("challenge", "http-01")
    place: Path = ("tls", "acme", "challenge") if "challenge" in section(values, "tls", "acme") else ("tls", "issuer")
    service = {"http-01": "http", "tls-alpn-01": "https"}.get(str(challenge))
    if service and section(values, "server", "listeners").get(service) == ():
        yield document.fault(place, f"{challenge} needs server.listeners.{service}, which is switched off")
    if challenge == "dns-01":
        for name in _certificate_names(values, spec):
            if not _is_published(name, values):
                message = f"dns-01 needs a zone with a provider for {name}, which can write the TXT record of the proof"
                yield document.fault(place, message)


def _certificate_names(values: Mapping[str, Value], spec: Outline) -> Iterator[str]:
    hostname = parsed(section(values, "server").get("hostname"), ("server", "hostname"), parse_domain)
    if hostname:
        yield hostname.name
    yield from _policy_hosts(values, spec)


def _policy_hosts(values: Mapping[str, Value], spec: Outline) -> Mapping[str, str]:
    """By the host of their MTA-STS policy."""
    return {
        f"mta-sts.{domain.name}": domain.name
        for domain in spec.domains
        if section(values, "domains", str(domain.path[1])).get("mta_sts")
    }


def _is_published(name: str, values: Mapping[str, Value]) -> bool:
    """By a provider, in the longest of the zones that the name is in."""
    zones = {
        zone.name: mapping(value).get("provider")
        for key, value in section(values, "dns", "zones").items()
        if (zone := parsed(key, ("dns", "zones", key), parse_domain))
    }
    labels = name.split(".")
    holding = [found for at in range(len(labels)) if (found := ".".join(labels[at:])) in zones]
    return bool(holding) and zones[holding[0]] != MANUAL_PROVIDER


def _providers(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    for name, provider in section(values, "dns", "providers").items():
        path: Path = ("dns", "providers", name)
        if name == MANUAL_PROVIDER:
            yield document.fault(path, "the name manual is taken: it means publishing by hand", at_key=True)
        for key, value in mapping(provider).items():
            yield from _provider_setting(document, (*path, key), value)


def _provider_setting(document: Document, path: Path, value: Value) -> Iterator[Fault]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _provider_setting(document, (*path, key), inner)
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _provider_setting(document, (*path, index), inner)
    elif isinstance(value, str) and value.startswith(("env/", "file/")):
        if not is_reference(value):
            yield document.fault(path, "not a reference (env/NAME with letters, digits and _, or file/PATH)")
    elif value is not None and any(isinstance(part, str) and _SECRET_NAME.search(part) for part in path[3:]):
        yield document.fault(path, "a secret in plain text; keep it outside and write env/NAME or file/PATH")


def _zones(document: Document, values: Mapping[str, Value], spec: Outline) -> Iterator[Fault]:
    providers = Vocabulary((*section(values, "dns", "providers"), MANUAL_PROVIDER))
    zones: dict[str, Named] = {}
    for key, value in section(values, "dns", "zones").items():
        path: Path = ("dns", "zones", key)
        zone = parsed(key, path, parse_domain)
        if zone and zones.setdefault(zone.name, zone) is not zone:
            place = document.place(zones[zone.name].path, at_key=True)
            yield document.fault(path, f"the same zone as at {place}", at_key=True)
        provider = mapping(value).get("provider")
        if isinstance(provider, str) and provider not in providers:
            message = f"no such provider in dns.providers (declared: {providers.listed()})"
            yield document.fault((*path, "provider"), message + did_you_mean(providers, provider))
    if zones:
        yield from _domains_without_zone(document, spec, frozenset(zones))


def _zone_names(values: Mapping[str, Value]) -> frozenset[str]:
    keys = (parsed(key, (), parse_domain) for key in section(values, "dns", "zones"))
    return frozenset(zone.name for zone in keys if zone)


def _is_held(name: str, zones: frozenset[str]) -> bool:
    labels = name.split(".")
    return not zones.isdisjoint(".".join(labels[at:]) for at in range(len(labels)))


def _domains_without_zone(document: Document, spec: Outline, zones: frozenset[str]) -> Iterator[Fault]:
    for domain in spec.domains:
        if not _is_held(domain.name, zones):
            message = "no zone of dns.zones holds this domain (add one; provider: manual prints its records)"
            yield document.fault(domain.path, message, at_key=True)


def _no_mail(document: Document, values: Mapping[str, Value], spec: Outline) -> Iterator[Fault]:
    hostname = parsed(section(values, "server").get("hostname"), ("server", "hostname"), parse_domain)
    domains = {domain.name: domain.path for domain in spec.domains}
    zones, policy_hosts = _zone_names(values), _policy_hosts(values, spec)
    seen: dict[str, Named] = {}
    for index, item in enumerate(items(section(values, "dns").get("no_mail"))):
        name = parsed(item, ("dns", "no_mail", index), parse_domain)
        if name is None:
            continue
        if seen.setdefault(name.name, name) is not name:
            yield document.fault(name.path, f"{name.name} is listed twice")
        elif name.name in domains:
            place = document.place(domains[name.name], at_key=True)
            yield document.fault(name.path, f"{name.name} gets mail: it is declared in domains ({place})")
        elif name.name in policy_hosts:
            yield document.fault(name.path, _is_policy_host(name.name, policy_hosts[name.name]))
        elif hostname and name.name == hostname.name:
            yield document.fault(name.path, f"{name.name} is server.hostname, which sends mail")
        elif zones and not _is_held(name.name, zones):
            yield document.fault(name.path, f"no zone of dns.zones holds {name.name}")


def _policy_hosts_with_mail(document: Document, values: Mapping[str, Value], spec: Outline) -> Iterator[Fault]:
    hostname = parsed(section(values, "server").get("hostname"), ("server", "hostname"), parse_domain)
    policy_hosts = _policy_hosts(values, spec)
    for domain in spec.domains:
        is_host = hostname is not None and domain.name == hostname.name
        if domain.name in policy_hosts and not is_host:
            yield document.fault(domain.path, _is_policy_host(domain.name, policy_hosts[domain.name]), at_key=True)


def _is_policy_host(name: str, domain: str) -> str:
    # RFC 1034 §3.6.2: where a CNAME is, no other data may be.
    return (
        f"{name} is where the MTA-STS policy of {domain} is: an alias of server.hostname, which can hold no other"
        f" records; take the name out here, or mta_sts out of {domain}"
    )


def _relays(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    for name, value in section(values, "relays").items():
        path: Path = ("relays", name)
        relay = mapping(value)
        if name == DIRECT:
            yield document.fault(path, "the name direct is taken: it means no relay", at_key=True)
        given = [key for key in ("username", "password") if relay.get(key) is not None]
        if len(given) == 1:
            missing = "password" if given == ["username"] else "username"
            yield document.fault((*path, given[0]), f"needs a {missing} beside it", at_key=True)
        host = relay.get("host")
        if given and relay.get("tls") == "none" and isinstance(host, str) and not _LOOPBACK.fullmatch(host):
            yield document.fault((*path, "tls"), "a login needs TLS (allowed: implicit, starttls)")


def _routes(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    vias = Vocabulary((*section(values, "relays"), DIRECT))
    for_all: int | None = None
    seen: dict[str, int] = {}
    for index, value in enumerate(items(values.get("routes"))):
        route = mapping(value)
        via = route.get("via")
        if isinstance(via, str) and via and via not in vias:
            message = f"no such relay in relays (declared: {vias.listed()}){did_you_mean(vias, via)}"
            yield document.fault(("routes", index, "via"), message)
        pattern = parsed(route.get("to", "*"), ("routes", index), parse_route_pattern)
        if pattern is None or not isinstance(value, dict):
            continue
        earlier = for_all if for_all is not None else seen.get(pattern.name)
        if earlier is not None:
            yield document.fault(("routes", index), f"is never reached: routes[{earlier}] matches first")
        seen.setdefault(pattern.name, index)
        if pattern.name == "*" and for_all is None:
            for_all = index
