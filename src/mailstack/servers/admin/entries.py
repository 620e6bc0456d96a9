"""Entries of the spec: what each value is and which line says so, with a form beside it.

Aliases and lists have pages of nothing else, and new entries of all kinds begin here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from mailstack.model.errors import TryAgainLater
from mailstack.model.resource import AliasBody, Kind, ListBody, body_of
from mailstack.servers.admin.failing import failed
from mailstack.servers.admin.templating import page
from mailstack.servers.admin.visit import Failed, Visit
from mailstack.servers.calls import CallKind
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused

PATH = "/admin/aliases"
MOST_SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Of the spec. list_path: of the page that lists its entries; of_name: what their names are."""

    key: str
    noun: str
    list_path: str
    of_name: str


SECTIONS = {
    found.key: found
    for found in (
        Section(key="accounts", noun="account", list_path="/admin/accounts", of_name="Address"),
        Section(key="aliases", noun="alias", list_path=PATH, of_name="Address"),
        Section(key="lists", noun="list", list_path=PATH, of_name="Address"),
        Section(key="domains", noun="domain", list_path="/admin/domains", of_name="Domain"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasRow:
    name: str
    targets: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    name: str
    body: ListBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Those that stand for others."""

    aliases: Sequence[AliasRow]
    lists: Sequence[ListRow]


async def show_names(visit: Visit) -> Response:
    names = await names_in(visit, "")
    return visit.page("aliases.html", PATH, names=names, most=MOST_SHOWN)


async def names_in(visit: Visit, domain: str) -> Names:
    """domain: "" for all."""
    resources = (await visit.service.directory.snapshot()).resources
    found = [
        each
        for (kind, name), each in sorted(resources.items())
        if kind in (Kind.ALIAS, Kind.LIST) and (not domain or name.rpartition("@")[2] == domain)
    ]
    return Names(
        aliases=[
            AliasRow(name=each.name, targets=body_of(AliasBody, each).targets)
            for each in found
            if each.kind is Kind.ALIAS
        ],
        lists=[ListRow(name=each.name, body=body_of(ListBody, each)) for each in found if each.kind is Kind.LIST],
    )


async def show(visit: Visit) -> Response:
    """Of an alias or a list; what is applied of it says less than the spec does."""
    section, name = section_in(visit.request), name_in(visit.request)
    if not name:
        raise Refused(NO_SUCH_PAGE)
    return visit.page("entry.html", section.list_path, section=section, name=name, argument=argument(section, name))


async def show_fields(visit: Visit) -> Response:
    """With places in the spec, which takes a process of its own to find."""
    section, name = section_in(visit.request), name_in(visit.request)
    try:
        found = await visit.told(CallKind.ENTRY, {"section": section.key, "name": name})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    at = visit.request.query_params.get("at", "")
    template = "entry_fields.html" if name else "entry_asked.html"
    return page(template, {"found": found, "section": section, "name": name, "at": at})


async def show_new(visit: Visit) -> Response:
    section = section_in(visit.request)
    at = visit.request.query_params.get("at", "")
    asked = urlencode({"section": section.key, "at": at})
    return visit.page("entry_new.html", section.list_path, section=section, argument=asked)


def section_in(request: Request) -> Section:
    """Raises Refused."""
    found = SECTIONS.get(request.query_params.get("section", ""))
    if found is None:
        raise Refused(NO_SUCH_PAGE)
    return found


def name_in(request: Request) -> str:
    return request.query_params.get("name", "").strip()


def argument(section: Section, name: str) -> str:
    return urlencode({"section": section.key, "name": name})
