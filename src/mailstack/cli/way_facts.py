"""What `route` and `tls policy` have in common: whom mail is from and to, and the least TLS that it goes with."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailstack.cli.account_facts import Facts, told
from mailstack.cli.screen import fail
from mailstack.model.errors import Invalid

if TYPE_CHECKING:
    from mailstack.model.address import Address
    from mailstack.services.outbound.route import Route
    from mailstack.spec.load import LoadedSpec


def envelope_address(text: str) -> "Address":
    from mailstack.services.outbound.sender import forward_address

    try:
        return forward_address(text)
    except Invalid as fault:
        fail(f"{text}: {fault.detail}")


def least_facts(loaded: "LoadedSpec", route: "Route | None", index: int | None) -> Facts:
    """route: None where it is not known. index: of it in the spec, None for what matches none."""
    from mailstack.services.outbound.route import Relay

    if route is None or isinstance(route.via, Relay):
        return {"least_tls": None, "least_tls_place": None}
    place = None
    if index is not None and loaded.spec.routes[index].tls is not None:
        place = str(loaded.locator.place(("routes", index, "tls")))
    elif "tls" in loaded.spec.sending.model_fields_set:
        place = str(loaded.locator.place(("sending", "tls")))
    return {"least_tls": route.least.value, "least_tls_place": place}


def least_lines(facts: Facts) -> Iterator[str]:
    """None where the spec asks for nothing."""
    if facts["least_tls_place"] is not None:
        yield f"  TLS at least {facts['least_tls']} ({told('place', facts['least_tls_place'])})"
