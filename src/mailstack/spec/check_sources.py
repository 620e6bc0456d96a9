"""Whether the addresses that mail leaves from, their names, and the routes that pick them hold together."""

from collections.abc import Iterator, Mapping

from mailstack.spec.document import Document
from mailstack.spec.domain_hosts import domain_hosts
from mailstack.spec.faults import Fault, Path
from mailstack.spec.nearest import Vocabulary, did_you_mean
from mailstack.spec.outline import Named, Outline, items, mapping, parsed, section
from mailstack.spec.values import parse_host_name, parse_ip
from mailstack.spec.yaml_values import Value

ADDRESSES: Path = ("server", "addresses")


def check_sources(document: Document, spec: Outline) -> Iterator[Fault]:
    own = tuple(_addresses(document.values))
    yield from _twins(document, own)
    yield from _names(document, spec)
    yield from _of_routes(document, Vocabulary(address.name for address in own))


def _addresses(values: Mapping[str, Value]) -> Iterator[Named]:
    for index, item in enumerate(items(section(values, "server").get("addresses"))):
        is_plain = isinstance(item, str)
        path: Path = (*ADDRESSES, index) if is_plain else (*ADDRESSES, index, "address")
        if found := parsed(item if is_plain else mapping(item).get("address"), path, parse_ip):
            yield found


def _twins(document: Document, found: tuple[Named, ...]) -> Iterator[Fault]:
    seen: set[str] = set()
    for address in found:
        if address.name in seen:
            yield document.fault(address.path, f"{address.name} is listed twice")
        seen.add(address.name)


def _names(document: Document, spec: Outline) -> Iterator[Fault]:
    """They are published, and must not stand where a record says that there is nothing, or no host."""
    values = document.values
    silent = {
        name.name
        for item in items(section(values, "dns").get("no_mail"))
        if (name := parsed(item, (), parse_host_name))
    }
    hosts = domain_hosts(values, spec)
    for index, item in enumerate(items(section(values, "server").get("addresses"))):
        name = parsed(mapping(item).get("name"), (*ADDRESSES, index, "name"), parse_host_name)
        if name is None:
            continue
        if name.name in silent:
            yield document.fault(name.path, f"{name.name} is in dns.no_mail, and mail is sent under this name")
        if name.name in hosts:
            # RFC 1034 §3.6.2: where a CNAME is, no other data may be.
            message = f"{name.name} is where {hosts[name.name].holds}: an alias of server.hostname"
            yield document.fault(name.path, message)


def _of_routes(document: Document, own: Vocabulary) -> Iterator[Fault]:
    listed = f"there: {own.listed()}" if own.words else "there are none"
    for index, route in enumerate(items(document.values.get("routes"))):
        given = mapping(route).get("source")
        path: Path = ("routes", index, "source")
        each = (
            [(given, path)] if isinstance(given, str) else [(item, (*path, at)) for at, item in enumerate(items(given))]
        )
        seen: set[str] = set()
        for value, at in each:
            source = parsed(value, at, parse_ip)
            if source is None:
                continue
            if source.name not in own:
                message = f"not one of server.addresses ({listed}){did_you_mean(own, source.name)}"
                yield document.fault(at, message)
            elif source.name in seen:
                yield document.fault(at, f"{source.name} is listed twice")
            seen.add(source.name)
