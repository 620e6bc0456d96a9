"""Whether the tests of a spec can be meant: each asks for one thing, expects something, and names who there is.

Only what is certain to be a slip is a fault here. Whether the server does as expected is found out by running them.
"""

from collections.abc import Collection, Iterator, Mapping

from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path
from mailstack.spec.nearest import Vocabulary, did_you_mean
from mailstack.spec.outline import Named, Outline, items, mapping, parsed, section
from mailstack.spec.sections.outbound import DIRECT
from mailstack.spec.values import parse_address_key
from mailstack.spec.yaml_values import Value

OF_MAIL = ("delivered", "forwarded", "rejected", "discarded", "notified", "answered", "not_delivered", "spam")
BY_LOGIN = ("not_delivered", "discarded", "answered")
OF_RECORDS = ("contains", "equals", "absent", "count")
OF_A_FILE = ("subject", "headers", "body")


def check_tests(document: Document, spec: Outline) -> Iterator[Fault]:
    tests = items(document.values.get("tests"))
    if not tests:  # nobody needs to be looked up
        return
    names: dict[str, Path] = {}
    holders = Holders(spec, document.values)
    for index, test in enumerate(tests):
        path: Path = ("tests", index)
        if not isinstance(test, dict):
            continue
        yield from _name(document, (*path, "name"), test.get("name"), names)
        yield from _subject(document, path, test)
        yield from _send(document, (*path, "send"), mapping(test.get("send")), holders)
        yield from _expectation(document, (*path, "expect"), test, holders)


class Holders:
    """Who tests may name: accounts by their login, relays."""

    def __init__(self, spec: Outline, values: Mapping[str, Value]) -> None:
        self._logins = Vocabulary(spec.logins)
        self._claims = {claim.address: claim.holder for claim in reversed(spec.claims)}
        self._domains = frozenset(domain.name for domain in spec.domains)
        self._ways = Vocabulary((*section(values, "relays"), DIRECT))

    def why_no_account(self, address: str) -> str:
        if address in self._logins:
            return ""
        if address in self._claims:
            return f"not the login of an account: {address} belongs to {self._claims[address]}"
        return f"no such account in accounts{did_you_mean(self._logins, address)}"

    def is_local(self, address: str) -> bool:
        return address.rpartition("@")[2] in self._domains

    def why_no_way(self, way: str) -> str:
        if way in self._ways:
            return ""
        return f"no such relay in relays (declared: {self._ways.listed()}){did_you_mean(self._ways, way)}"


def _name(document: Document, path: Path, name: Value, names: dict[str, Path]) -> Iterator[Fault]:
    if not isinstance(name, str):
        return
    earlier = names.setdefault(name, path)
    if earlier is not path:
        yield document.fault(path, f"another test has this name ({document.place(earlier)})")


def _subject(document: Document, path: Path, test: Mapping[str, Value]) -> Iterator[Fault]:
    if ("send" in test) == ("dns" in test):
        what = "either, not both" if "send" in test else "one of them is missing"
        yield document.fault(path, f"a test sends a mail (send) or asks for a record (dns): {what}")


def _send(document: Document, path: Path, send: Mapping[str, Value], holders: Holders) -> Iterator[Fault]:
    if send and "from" not in send and "as" not in send:
        yield document.fault(path, "who sends it? (from: an address, <> for the null path; or as: an account)")
    account = parsed(send.get("as"), (*path, "as"), parse_address_key)
    if account and (reason := holders.why_no_account(account.name)):
        yield document.fault(account.path, reason)
    for key in OF_A_FILE:
        if "eml" in send and key in send:
            yield document.fault((*path, key), "the file in eml has it already", at_key=True)


def _expectation(document: Document, path: Path, test: Mapping[str, Value], holders: Holders) -> Iterator[Fault]:
    expect = test.get("expect")
    if not isinstance(expect, dict):
        return
    if not expect:
        yield document.fault(path, f"nothing is expected ({', '.join(_fitting(test))})")
    for key, value in expect.items():
        if value is None:
            yield document.fault((*path, key), "empty: leave the key out, or say what is expected")
        elif key in (*OF_MAIL, *OF_RECORDS) and key not in _fitting(test):
            yield document.fault((*path, key), f"not for this kind of test ({', '.join(_fitting(test))})", at_key=True)
    yield from _contradictions(document, path, expect)
    yield from _deliveries(document, path, expect, holders)
    yield from _forwards(document, path, expect, holders)
    yield from _refused(document, path, test)


def _fitting(test: Mapping[str, Value]) -> Collection[str]:
    if ("send" in test) == ("dns" in test):
        return (*OF_MAIL, *OF_RECORDS)
    return OF_MAIL if "send" in test else OF_RECORDS


def _contradictions(document: Document, path: Path, expect: Mapping[str, Value]) -> Iterator[Fault]:
    rejected = expect.get("rejected")
    if {"to", "by"} <= mapping(rejected).keys():
        message = "to or by, not both: recipients, or accounts whose scripts refuse it"
        yield document.fault((*path, "rejected", "by"), message, at_key=True)
    if rejected is not None and not {"to", "by"} & mapping(rejected).keys():
        for key in ("delivered", "forwarded", "discarded"):
            if key in expect:
                message = f"a mail that is rejected as a whole is not {key} (rejected: {{to: …}} or {{by: …}}: in part)"
                yield document.fault((*path, key), message, at_key=True)
    for key in ("contains", "equals", "count"):
        if expect.get("absent") is True and key in expect:
            yield document.fault((*path, key), "a record that is absent has no values", at_key=True)
    equals = expect.get("equals")
    values = 1 if isinstance(equals, str) else len(items(equals))
    count = expect.get("count")
    if values and isinstance(count, int) and count != values:
        yield document.fault((*path, "count"), f"equals says {values}")


def _deliveries(document: Document, path: Path, expect: Mapping[str, Value], holders: Holders) -> Iterator[Fault]:
    wanted = {named.name: named for named in _addresses(expect.get("delivered"), (*path, "delivered"))}
    others = {key: tuple(_addresses(expect.get(key), (*path, key))) for key in BY_LOGIN}
    refusing = _addresses(section(expect, "rejected").get("by"), (*path, "rejected", "by"))
    for named in (*wanted.values(), *(named for each in others.values() for named in each), *refusing):
        if reason := holders.why_no_account(named.name):
            yield document.fault(named.path, reason, at_key=True)
    for named in (*others["not_delivered"], *others["discarded"]):
        if named.name in wanted:
            place = document.place(wanted[named.name].path)
            yield document.fault(named.path, f"{named.name} is expected to get it ({place})")


def _forwards(document: Document, path: Path, expect: Mapping[str, Value], holders: Holders) -> Iterator[Fault]:
    given = expect.get("forwarded")
    for named in _addresses(given, (*path, "forwarded")):
        if holders.is_local(named.name):
            yield document.fault(named.path, f"{named.name} is of this server: expect it as delivered", at_key=True)
    for key, way in mapping(given).items():
        if isinstance(way, str) and (reason := holders.why_no_way(way)):
            yield document.fault((*path, "forwarded", key), reason)


def _refused(document: Document, path: Path, test: Mapping[str, Value]) -> Iterator[Fault]:
    sent = set(_texts(section(test, "send").get("to")))
    given = section(test, "expect", "rejected").get("to")
    for index, address in enumerate(_texts(given)):
        if sent and address not in sent:
            place = (*path, "rejected", "to") if isinstance(given, str) else (*path, "rejected", "to", index)
            yield document.fault(place, "the mail is not sent to this address (send.to)")


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(text for text in ((value,) if isinstance(value, str) else items(value)) if isinstance(text, str))


def _addresses(value: Value, path: Path) -> Iterator[Named]:
    """Of one text, of a list, or of the keys of a mapping."""
    if isinstance(value, str):
        entries: list[tuple[str, Path]] = [(value, path)]
    elif isinstance(value, dict):
        entries = [(key, (*path, key)) for key in value]
    else:
        entries = [(text, (*path, index)) for index, text in enumerate(items(value)) if isinstance(text, str)]
    for text, place in entries:
        if named := parsed(text, place, parse_address_key):
            yield named
