"""Whether the relays that routes name have the least TLS that mail is to go with."""

from collections.abc import Iterator, Mapping

from mailstack.model.networks import is_this_machine
from mailstack.spec.document import Document
from mailstack.spec.faults import Fault
from mailstack.spec.outline import items, mapping, section
from mailstack.spec.sections.outbound import standard_tls
from mailstack.spec.yaml_values import Value

OPPORTUNISTIC = "opportunistic"


def check_least_tls(document: Document) -> Iterator[Fault]:
    general = section(document.values, "sending").get("tls", OPPORTUNISTIC)
    relays = section(document.values, "relays")
    for index, value in enumerate(items(document.values.get("routes"))):
        route = mapping(value)
        own = route.get("tls")
        least = general if own is None else own
        if least == OPPORTUNISTIC:
            continue
        asked = f"sending.tls says {least}" if own is None else f"tls of this route says {least}"
        for path, name in (("via",), route.get("via")), (("warmup", "meanwhile"), _meanwhile(route)):
            relay = relays.get(name) if isinstance(name, str) else None
            if isinstance(relay, dict) and _goes_unprotected(relay):
                message = (
                    f"relay {name} has no TLS, and {asked} (allowed: a relay with tls: starttls or implicit, or on this"
                    " machine; a route with tls: opportunistic)"
                )
                yield document.fault(("routes", index, *path), message)


def _meanwhile(route: Mapping[str, Value]) -> Value:
    return mapping(route.get("warmup")).get("meanwhile")


def _goes_unprotected(relay: Mapping[str, Value]) -> bool:
    host = relay.get("host")
    tls = relay.get("tls", standard_tls(relay.get("protocol")))
    return tls == "none" and isinstance(host, str) and not is_this_machine(host)
