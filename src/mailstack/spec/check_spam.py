"""Whether mail is refused at more points than it is junk at, with all that sections leave to those above them."""

from collections.abc import Iterator, Mapping

from mailstack.model.spam import JUNK_AT, REJECT_AT
from mailstack.spec.document import Document
from mailstack.spec.faults import Fault, Path
from mailstack.spec.outline import NOTHING, mapping, section
from mailstack.spec.yaml_values import Value

_DEFAULTS: Mapping[str, Value] = {"junk_at": JUNK_AT, "reject_at": REJECT_AT}


def check_spam(document: Document) -> Iterator[Fault]:
    values = document.values
    of_server = _over(_DEFAULTS, values.get("spam"))
    yield from _order(document, ("spam",), of_server)
    of_domains: dict[str, Mapping[str, Value]] = {}
    for name, domain in section(values, "domains").items():
        own = mapping(domain).get("spam")
        of_domains[name] = _over(of_server, own)
        if own is not None:
            yield from _order(document, ("domains", name, "spam"), of_domains[name])
    for login, account in section(values, "accounts").items():
        own = mapping(account).get("spam")
        if own is not None:
            above = of_domains.get(login.rpartition("@")[2], of_server)
            yield from _order(document, ("accounts", login, "spam"), _over(above, own))


def _over(above: Mapping[str, Value], own: Value) -> Mapping[str, Value]:
    said = own if isinstance(own, dict) else NOTHING
    return {key: said.get(key, value) for key, value in above.items()}


def _order(document: Document, path: Path, found: Mapping[str, Value]) -> Iterator[Fault]:
    junk_at, reject_at = found["junk_at"], found["reject_at"]
    if not isinstance(junk_at, int | float) or not isinstance(reject_at, int | float) or reject_at > junk_at:
        return
    key = next((key for key in ("reject_at", "junk_at") if document.says((*path, key))), "")
    if not key:  # it is said above
        return
    message = (
        f"reject_at is {reject_at:g} and junk_at is {junk_at:g}: mail is junk before it is refused"
        " (allowed: a reject_at above junk_at, or null for never)"
    )
    yield document.fault((*path, key), message)
