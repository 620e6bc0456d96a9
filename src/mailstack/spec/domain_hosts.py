"""Host names that domains bring along: aliases of server.hostname in DNS, which this server answers for. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from mailstack.model.client_settings import settings_hosts
from mailstack.spec.outline import Outline, section
from mailstack.spec.yaml_values import Value


class DomainHost(NamedTuple):
    """holds: what is there, for people to read; key: of the domain, by which it is there."""

    domain: str
    holds: str
    key: str


def domain_hosts(values: Mapping[str, Value], spec: Outline) -> Mapping[str, DomainHost]:
    found: dict[str, DomainHost] = {}
    for domain in spec.domains:
        name, settings = domain.name, section(values, "domains", str(domain.path[1]))
        if settings.get("mta_sts"):
            found[f"mta-sts.{name}"] = DomainHost(name, f"the MTA-STS policy of {name} is", "mta_sts")
        if settings.get("autoconfig"):
            host = DomainHost(name, f"mail programs look for the settings of {name}", "autoconfig")
            found |= dict.fromkeys(settings_hosts(name), host)
    return found
