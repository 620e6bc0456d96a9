"""Domains: what each has, and of one what the spec says of it, with its keys, addresses and lists."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from mailstack.model.resource import DkimKeyBody, DmarcBody, DomainBody, KeyState, Kind, Resource, body_of
from mailstack.servers.admin.entries import SECTIONS, argument, name_in, names_in
from mailstack.servers.admin.visit import Visit
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused

PATH = "/admin/domains"
Resources = Mapping[tuple[Kind, str], Resource]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRow:
    """accounts, names: how many; names: aliases and lists. signs, waits: algorithms of keys that do, and of those that
    are not seen in DNS yet. stage: of DMARC, where it goes by itself, "" where the spec says it."""

    name: str
    body: DomainBody
    accounts: int
    names: int
    signs: Sequence[str]
    waits: Sequence[str]
    stage: str


async def show(visit: Visit) -> Response:
    resources = (await visit.service.directory.snapshot()).resources
    counts = await _counts(visit, resources)
    rows = [_row(resources, name, counts) for kind, name in sorted(resources) if kind is Kind.DOMAIN]
    return visit.page("domains.html", PATH, rows=rows)


async def show_one(visit: Visit) -> Response:
    name = name_in(visit.request)
    resources = (await visit.service.directory.snapshot()).resources
    if (Kind.DOMAIN, name) not in resources:
        raise Refused(NO_SUCH_PAGE)
    return visit.page(
        "domain.html",
        PATH,
        row=_row(resources, name, await _counts(visit, resources)),
        keys=_keys(resources, name),
        names=await names_in(visit, name),
        section=SECTIONS["domains"],
        name=name,
        argument=argument(SECTIONS["domains"], name),
    )


async def _counts(visit: Visit, resources: Resources) -> Counter[tuple[Kind, str]]:
    """By kind and domain."""
    accounts = (await visit.service.directory.people()).by_domain
    others = Counter((kind, name.rpartition("@")[2]) for kind, name in resources)
    return others + Counter({(Kind.ACCOUNT, domain): count for domain, count in accounts.items()})


def _row(resources: Resources, name: str, counts: Counter[tuple[Kind, str]]) -> DomainRow:
    keys = _keys(resources, name)
    dmarc = resources.get((Kind.DMARC, name))
    return DomainRow(
        name=name,
        body=body_of(DomainBody, resources[Kind.DOMAIN, name]),
        accounts=counts[Kind.ACCOUNT, name],
        names=counts[Kind.ALIAS, name] + counts[Kind.LIST, name],
        signs=[key.algorithm for key in keys if key.state == KeyState.SIGNS],
        waits=[key.algorithm for key in keys if key.state == KeyState.PUBLISHED],
        stage="" if dmarc is None else body_of(DmarcBody, dmarc).stage,
    )


def _keys(resources: Resources, domain: str) -> Sequence[DkimKeyBody]:
    found = (body_of(DkimKeyBody, each) for (kind, _), each in resources.items() if kind is Kind.DKIM_KEY)
    return sorted((key for key in found if key.domain == domain), key=lambda key: (key.algorithm, key.since))
