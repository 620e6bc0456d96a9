"""Whom a server asks about mail, by its blueprint: lists in DNS, and engines beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.app.blueprint import Blueprint
from mailstack.app.mail_work import gate_of
from mailstack.clients.clamav import Clamav
from mailstack.clients.rspamd import Rspamd
from mailstack.clients.smtp.tls import verified_context
from mailstack.model.instant import Clock
from mailstack.model.resource import DnsListBody
from mailstack.ports.greylist import Greylist
from mailstack.ports.resolver import Resolver
from mailstack.services.inbound.gate import Gate
from mailstack.services.spam.breaker import Rest
from mailstack.services.spam.dns_lists import About, DnsLists, ScoredList
from mailstack.services.spam.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All of one generation, in one worker."""

    gate: Gate
    lists: DnsLists
    engines: Sequence[Engine]

    @property
    def rests(self) -> Sequence[Rest]:
        """Those that did not answer lately, and are left alone for a while."""
        of_engines = [rest for engine in self.engines for rest in engine.rests]
        return [*self.gate.blocklists.rests, *self.lists.rests, *of_engines]


def asked_by(blueprint: Blueprint, resolver: Resolver, greylist: Greylist, *, clock: Clock) -> Asked:
    return Asked(
        gate=gate_of(blueprint.receiving, resolver, greylist, clock=clock),
        lists=dns_lists_of(blueprint, resolver, clock=clock),
        engines=engines_of(blueprint, resolver, clock=clock),
    )


def dns_lists_of(blueprint: Blueprint, resolver: Resolver, *, clock: Clock) -> DnsLists:
    server = blueprint.server
    own = (*blueprint.domains, *(() if server is None else (server.hostname,)))
    lists, backups = tuple(map(_scored, blueprint.spam.lists)), blueprint.receiving.backups
    return DnsLists(resolver, lists, own=own, backups=backups, clock=clock)


def engines_of(blueprint: Blueprint, resolver: Resolver, *, clock: Clock) -> Sequence[Engine]:
    found, rspamd, clamav = [], blueprint.spam.rspamd, blueprint.spam.clamav
    if rspamd is not None:
        asked = Rspamd(
            url=rspamd.url,
            password=blueprint.rspamd_password,
            most_points=rspamd.max_points,
            timeout_s=rspamd.deadline_s,
            tls=verified_context(),
        )
        found.append(Engine("rspamd", asked, clock=clock, deadline_s=rspamd.deadline_s))
    if clamav is not None:
        scanner = Clamav(
            resolver,
            socket=clamav.socket or "",
            host=clamav.host or "",
            port=clamav.port or 0,
            most_octets=clamav.max_size_bytes,
            timeout_s=clamav.deadline_s,
        )
        keeps = clamav.on_virus == "junk"
        found.append(Engine("clamav", scanner, clock=clock, deadline_s=clamav.deadline_s, keeps_viruses=keeps))
    return found


def _scored(body: DnsListBody) -> ScoredList:
    return ScoredList(
        zone=body.zone,
        of=frozenset(map(About, body.of)),
        points=body.points or 0.0,
        codes={each.code: each.points for each in body.codes},
        bits={each.bit: each.points for each in body.bits},
    )
