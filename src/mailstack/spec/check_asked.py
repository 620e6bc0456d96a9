"""Whether lists in DNS and engines can be asked as the spec has them, and which rule is meant by a name."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from mailstack.model.networks import is_this_machine
from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path
from mailstack.spec.outline import items, mapping, parsed, section
from mailstack.spec.values import parse_domain
from mailstack.spec.yaml_values import Value


def check_asked(document: Document) -> Iterator[Fault]:
    spam = section(document.values, "spam")
    yield from _lists(document, spam)
    yield from _rules(document, spam)
    engines = mapping(spam.get("engines"))
    yield from _rspamd(document, mapping(engines.get("rspamd")))
    if isinstance(engines.get("clamav"), dict):
        yield from _clamav(document, mapping(engines.get("clamav")))


def _lists(document: Document, spam: Mapping[str, Value]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, item in enumerate(items(spam.get("lists"))):
        path: Path = ("spam", "lists", index)
        dns_list, zone = mapping(item), parsed(mapping(item).get("zone"), (*path, "zone"), parse_domain)
        if zone is not None and zone.name in seen:
            yield document.fault(zone.path, f"{zone.name} is listed twice")
        if zone is not None:
            seen.add(zone.name)
        if isinstance(item, dict):
            yield from _what_it_says(document, dns_list, path)


def _rules(document: Document, spam: Mapping[str, Value]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, rule in enumerate(items(spam.get("rules"))):
        name = mapping(rule).get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield document.fault(("spam", "rules", index, "name"), f"{name} is the name of another rule already")
        seen.add(name)


def _what_it_says(document: Document, dns_list: Mapping[str, Value], path: Path) -> Iterator[Fault]:
    points, of = dns_list.get("points"), items(dns_list.get("of"))
    single = [((key, name), given) for key in ("codes", "bits") for name, given in mapping(dns_list.get(key)).items()]
    for at, about in enumerate(of):
        if about in of[:at]:
            yield document.fault((*path, "of", at), f"{about} is listed twice")
    if points is None and not single:
        yield document.fault(path, "gives nothing any points: needs points, or codes or bits with points of their own")
    if set(of) == {"links"}:
        for key, given in ((("points",), points), *single):
            if isinstance(given, int | float) and given < 0:
                message = "links speak for nobody: anybody may link to a good site (allowed: points above 0)"
                yield document.fault((*path, *key), message)


def _rspamd(document: Document, rspamd: Mapping[str, Value]) -> Iterator[Fault]:
    url = rspamd.get("url")
    if rspamd.get("password") is None or not isinstance(url, str) or not url.startswith("http://"):
        return
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return
    if not is_this_machine(host):
        yield document.fault(
            ("spam", "engines", "rspamd", "url"), "a password on its way to another machine needs TLS (https://)"
        )


def _clamav(document: Document, clamav: Mapping[str, Value]) -> Iterator[Fault]:
    path: Path = ("spam", "engines", "clamav")
    socket, host = clamav.get("socket"), clamav.get("host")
    if socket is None and host is None:
        yield document.fault(path, "needs the socket of clamd, or a host", at_key=True)
    if socket is not None:
        for key in ("host", "port"):
            if clamav.get(key) is not None:
                yield document.fault(
                    (*path, key), f"with a socket there is no {key}: take out one of the two", at_key=True
                )
