"""Who serves a zone, as its provider has it: octoDNS reads the NS records of a zone's top and drops them before a plan.

They tell of a zone that is delegated elsewhere, so that nothing that is written to it is ever seen.
"""

from collections.abc import Callable

from mailstack.reconcile.dns.octo import OctoProvider, OctoZone

Populate = Callable[..., bool]


class NotingRootNs:
    """Stands where providers have their method `populate`. nameservers: by zone, as of the last read."""

    def __init__(self, populate: Populate) -> None:
        self._populate = populate
        self.nameservers: dict[str, tuple[str, ...]] = {}

    def __call__(self, zone: OctoZone, target: bool = False, lenient: bool = False) -> bool:
        exists = self._populate(zone, target=target, lenient=lenient)
        self.nameservers[zone.name] = tuple(getattr(zone.root_ns, "values", ()))
        return exists


def note_root_ns(provider: OctoProvider) -> None:
    setattr(provider, "populate", NotingRootNs(provider.populate))  # noqa: B010  the attribute is octoDNS's


def root_ns_of(provider: OctoProvider, zone_name: str) -> tuple[str, ...]:
    """zone_name: with its closing dot. None where the provider does not say."""
    noting = provider.populate
    return noting.nameservers.get(zone_name, ()) if isinstance(noting, NotingRootNs) else ()
