"""Whether the rest of a spec holds together: listeners, certificates, DNS providers and zones, relays and routes."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from itertools import product

from mailstack.model.networks import is_this_machine
from mailstack.spec.document import Document
from mailstack.spec.domain_hosts import DomainHost, domain_hosts
from mailstack.spec.faults import Fault, Path
from mailstack.spec.nearest import Vocabulary, did_you_mean
from mailstack.spec.outline import Named, Outline, items, mapping, parsed, section
from mailstack.spec.secrets import is_reference
from mailstack.spec.sections.domains import MANUAL_PROVIDER
from mailstack.spec.sections.outbound import DIRECT, LMTP, standard_tls
from mailstack.spec.sections.server import BACKUP_MX, NOT_OF_BACKUPS, Listeners
from mailstack.spec.values import (
    SHORTEST_SIGNATURE,
    parse_domain,
    parse_duration,
    parse_endpoint,
    parse_network,
    parse_route_pattern,
    parse_route_sender,
)
from mailstack.spec.yaml_values import Value

SMTP_PORT = 25
NOT_OF_LMTP = "port 25 is SMTP's: LMTP must have another, 24 by custom"  # RFC 2033 §5
_SECRET_NAME = re.compile(r"token|secret|passw|api[_-]?key|private[_-]?key|credential", re.IGNORECASE)
_EVERY_HOST = frozenset({"0.0.0.0", "[::]"})  # noqa: S104  compared with, not bound


_WITHOUT_TWINS: Mapping[tuple[str, ...], Callable[[str], str]] = {
    ("server", "backups"): parse_domain,
    ("server", "proxy_from"): parse_network,
    ("server", "push_to"): parse_network,
    ("server", "bans", "never"): parse_network,
    ("receiving", "trusted_peers"): parse_network,
    ("receiving", "trusted_sealers"): parse_domain,
    ("spam", "blocklists"): parse_domain,
}


def check_wiring(document: Document, spec: Outline) -> Iterator[Fault]:
    values = document.values
    yield from _twins(document, values)
    yield from _endpoints(document, values)
    yield from _backup(document, values)
    yield from _tls(document, values, spec)
    yield from _providers(document, values)
    yield from _zones(document, values, spec)
    yield from _no_mail(document, values, spec)
    yield from _domain_hosts_with_mail(document, values, spec)
    yield from _sending(document, values)
    yield from _destinations(document, values)
    yield from _relays(document, values)
    yield from _routes(document, values)


def _twins(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    for path, parse in _WITHOUT_TWINS.items():
        seen: set[str] = set()
        for index, item in enumerate(items(section(values, *path[:-1]).get(path[-1]))):
            found = parsed(item, (*path, index), parse)
            if found and found.name in seen:
                yield document.fault(found.path, f"{found.name} is listed twice")
            if found:
                seen.add(found.name)


def _endpoints(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    """Standard ports count too, for services that the spec does not name."""
    given = section(values, "server", "listeners")
    taken: dict[str, list[Named]] = {}
    yield from _sockets(document, items(given.get("lmtp_sockets")))
    for service, field in Listeners.model_fields.items():
        if service == "lmtp_sockets":
            continue
        for index, item in enumerate(items(given.get(service, field.default))):
            endpoint = parsed(item, ("server", "listeners", service, index), parse_endpoint)
            if endpoint is None:
                continue
            port = endpoint.name.rpartition(":")[2]
            if service == LMTP and port == str(SMTP_PORT):
                yield document.fault(endpoint.path, NOT_OF_LMTP)
            on_port = taken.setdefault(port, [])
            other = next((other for other in on_port if _overlap(endpoint.name, other.name)), None)
            if other:
                spot = endpoint if service in given else other
                message = f"{endpoint.name} is taken twice: {other.path[2]} and {service} listen there"
                yield document.fault(spot.path, message)
            on_port.append(endpoint)


def _sockets(document: Document, sockets: Sequence[Value]) -> Iterator[Fault]:
    paths: list[Value] = []
    for index, item in enumerate(sockets):
        path = mapping(item).get("path")
        if path is not None and path in paths:
            yield document.fault(("server", "listeners", "lmtp_sockets", index, "path"), f"{path} is taken twice")
        paths.append(path)


def _backup(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    if section(values, "server").get("role") != BACKUP_MX:
        yield from _backup_of_itself(document, section(values, "server"))
        return
    for service, endpoints in section(values, "server", "listeners").items():
        if service in NOT_OF_BACKUPS and endpoints:
            message = f"a backup-mx has no mailboxes and takes no logins: take {service} out of its listeners"
            yield document.fault(("server", "listeners", service), message)
    if section(values, "server").get("backups"):
        yield document.fault(("server", "backups"), "a backup-mx has no backups: name them in the primary's spec")


def _backup_of_itself(document: Document, server: Mapping[str, Value]) -> Iterator[Fault]:
    hostname = parsed(server.get("hostname"), ("server", "hostname"), parse_domain)
    for index, item in enumerate(items(server.get("backups"))):
        name = parsed(item, ("server", "backups", index), parse_domain)
        if hostname and name and name.name == hostname.name:
            yield document.fault(name.path, f"{name.name} is this server itself (server.hostname)")


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
    yield from domain_hosts(values, spec)


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
    zones, hosts = _zone_names(values), domain_hosts(values, spec)
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
        elif name.name in hosts:
            yield document.fault(name.path, _is_host_of(name.name, hosts[name.name]))
        elif hostname and name.name == hostname.name:
            yield document.fault(name.path, f"{name.name} is server.hostname, which sends mail")
        elif zones and not _is_held(name.name, zones):
            yield document.fault(name.path, f"no zone of dns.zones holds {name.name}")


def _domain_hosts_with_mail(document: Document, values: Mapping[str, Value], spec: Outline) -> Iterator[Fault]:
    hostname = parsed(section(values, "server").get("hostname"), ("server", "hostname"), parse_domain)
    hosts = domain_hosts(values, spec)
    for domain in spec.domains:
        is_host = hostname is not None and domain.name == hostname.name
        if domain.name in hosts and not is_host:
            yield document.fault(domain.path, _is_host_of(domain.name, hosts[domain.name]), at_key=True)


def _is_host_of(name: str, host: DomainHost) -> str:
    # RFC 1034 §3.6.2: where a CNAME is, no other data may be.
    return (
        f"{name} is where {host.holds}: an alias of server.hostname, which can hold no other"
        f" records; take the name out here, or {host.key} out of {host.domain}"
    )


def _sending(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    """Of durations that are sound for themselves, those that come too late to count."""
    sending = section(values, "sending")
    lifetime = _duration(sending.get("lifetime", "5d"))
    if lifetime is None:
        return
    for name, domain in section(values, "domains").items():
        expire_after = _duration(mapping(mapping(domain).get("dkim")).get("expire_after"))
        if expire_after is not None and SHORTEST_SIGNATURE <= expire_after <= lifetime:
            message = "mail would wait longer than its signature holds (see sending.lifetime, 5d by default)"
            yield document.fault(("domains", name, "dkim", "expire_after"), message)
    waits = [_duration(wait) for wait in items(sending.get("schedule"))]
    if waits and waits[0] is not None and waits[0] >= lifetime:
        yield document.fault(("sending", "schedule", 0), "mail would go back before it is tried twice (see lifetime)")
    warn_after = _duration(sending.get("warn_after", "4h" if "lifetime" in sending else None))
    if warn_after is not None and warn_after >= lifetime:
        where = "warn_after" if "warn_after" in sending else "lifetime"
        message = "senders would hear of a delay when their mail is back already (warn_after; null: never)"
        yield document.fault(("sending", where), message)


def _destinations(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    seen: list[Named] = []
    for key in section(values, "sending", "destinations"):
        pattern = parsed(key, ("sending", "destinations", key), parse_route_pattern)
        if pattern is None:
            continue
        first = next((other for other in seen if fnmatchcase(pattern.name, other.name)), None)
        if first is not None:
            yield document.fault(pattern.path, f"is never reached: {first.path[-1]} fits first", at_key=True)
        seen.append(pattern)


def _duration(value: Value) -> timedelta | None:
    try:
        return parse_duration(value)
    except ValueError:
        return None


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
        if isinstance(value, dict):
            yield from _whereabouts(document, relay, path)
        if relay.get("protocol") == LMTP and relay.get("port") == SMTP_PORT:
            yield document.fault((*path, "port"), NOT_OF_LMTP)
        host = relay.get("host")
        tls = relay.get("tls", standard_tls(relay.get("protocol")))
        if given and tls == "none" and isinstance(host, str) and not is_this_machine(host):
            yield document.fault((*path, "tls"), "a login needs TLS (allowed: implicit, starttls)")


def _whereabouts(document: Document, relay: Mapping[str, Value], path: Path) -> Iterator[Fault]:
    """A host, or for LMTP a socket."""
    socket = relay.get("socket")
    if socket is None:
        if relay.get("host") is None:
            yield document.fault(path, "needs a host, or with protocol: lmtp a socket of this machine", at_key=True)
        return
    if relay.get("protocol") != LMTP:
        yield document.fault((*path, "socket"), "is for protocol: lmtp", at_key=True)
    for key in ("host", "port"):
        if relay.get(key) is not None:
            yield document.fault(
                (*path, key), f"a relay with a socket has no {key}: take out one of the two", at_key=True
            )
    if relay.get("tls", "none") != "none":
        yield document.fault((*path, "tls"), "a socket of this machine has no TLS (allowed: none)")


def _routes(document: Document, values: Mapping[str, Value]) -> Iterator[Fault]:
    vias = Vocabulary((*section(values, "relays"), DIRECT))
    seen: dict[tuple[str, ...], int] = {}
    for index, value in enumerate(items(values.get("routes"))):
        route = mapping(value)
        via = route.get("via")
        if isinstance(via, str) and via and via not in vias:
            message = f"no such relay in relays (declared: {vias.listed()}){did_you_mean(vias, via)}"
            yield document.fault(("routes", index, "via"), message)
        yield from _warm_up(document, route, index, vias)
        sender = parsed(route.get("from", "*"), ("routes", index), parse_route_sender)
        pattern = parsed(route.get("to", "*"), ("routes", index), parse_route_pattern)
        mx = parsed(route.get("mx", "*"), ("routes", index), parse_route_pattern)
        if sender is None or pattern is None or mx is None or not isinstance(value, dict):
            continue
        covering = product((sender.name, sender.name.rpartition("@")[2], "*"), (pattern.name, "*"), (mx.name, "*"))
        earlier = min((seen[both] for both in covering if both in seen), default=None)
        if earlier is not None:
            yield document.fault(("routes", index), f"is never reached: routes[{earlier}] matches first")
        seen.setdefault((sender.name, pattern.name, mx.name), index)


def _warm_up(document: Document, route: Mapping[str, Value], index: int, vias: Vocabulary) -> Iterator[Fault]:
    warm_up = route.get("warmup")
    if not isinstance(warm_up, dict):
        return
    if route.get("via") != DIRECT:
        yield document.fault(("routes", index, "warmup"), "is for a route via direct", at_key=True)
    meanwhile = warm_up.get("meanwhile")
    if meanwhile == DIRECT:
        message = "names the relay that has the rest, and direct is none"
        yield document.fault(("routes", index, "warmup", "meanwhile"), message)
    elif isinstance(meanwhile, str) and meanwhile and meanwhile not in vias:
        message = f"no such relay in relays{did_you_mean(vias, meanwhile)}"
        yield document.fault(("routes", index, "warmup", "meanwhile"), message)
