"""Spam: what is done from how many points on, whom the server asks, and what it has learned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from mailstack.model.errors import TryAgainLater
from mailstack.model.resource import (
    DomainBody,
    Kind,
    Resource,
    ServerBody,
    SpamBody,
    SpamPolicyBody,
    body_of,
)
from mailstack.servers.admin.failing import failed
from mailstack.servers.admin.templating import page
from mailstack.servers.admin.visit import Failed, Visit
from mailstack.servers.calls import CallKind

PATH = "/admin/spam"
MOST_ACCOUNTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """name: of a domain, "" for the server."""

    name: str
    policy: SpamPolicyBody


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRow:
    """what: it is asked about, or for."""

    name: str
    what: str


async def show(visit: Visit) -> Response:
    service = visit.service
    spam = (await service.store.state.snapshot((Kind.SPAM,))).resources
    body = next((body_of(SpamBody, each) for each in spam.values()), SpamBody())
    resources = (await service.directory.snapshot()).resources
    return visit.page(
        "spam.html",
        PATH,
        policies=[*_policies(body, resources)],
        rules=len(body.rules),
        asked=[*_asked(body)],
        own=await service.directory.own_thresholds(),
        rests={rest.name: rest for rest in service.rests()},
    )


async def show_learned(visit: Visit) -> Response:
    try:
        found = await visit.told(CallKind.SPAM, {})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    return page("spam_learned.html", {"found": found, "most": MOST_ACCOUNTS})


async def show_tokens(visit: Visit) -> Response:
    """Of the administrator's own mail: those of others are not for a page to show."""
    servers = (await visit.service.store.state.snapshot((Kind.SERVER,))).resources.values()
    hostname = next((body_of(ServerBody, each).hostname for each in servers), "")
    try:
        found = await visit.told(CallKind.TOKENS, {"login": visit.admin.account.login, "hostname": hostname})
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    return page("spam_tokens.html", {"found": found})


def _policies(body: SpamBody, resources: Mapping[tuple[Kind, str], Resource]) -> Iterator[PolicyRow]:
    yield PolicyRow(name="", policy=body.policy)
    for (kind, name), resource in sorted(resources.items()):
        if kind is Kind.DOMAIN and (own := body_of(DomainBody, resource).spam) is not None:
            yield PolicyRow(name=name, policy=own)


def _asked(body: SpamBody) -> Iterator[AskedRow]:
    for each in body.lists:
        yield AskedRow(name=each.zone, what=f"a list in DNS, about {_listed(each.of)}")
    if body.rspamd is not None:
        yield AskedRow(name="rspamd", what=f"points, at {body.rspamd.url}")
    if body.clamav is not None:
        place = body.clamav.socket or f"{body.clamav.host}:{body.clamav.port}"
        yield AskedRow(name="clamav", what=f"viruses, at {place}")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)
