"""What lists in DNS say of whoever brought a mail, of the domains that it names, and of where its links lead.

All are asked at once. What a list does not say in time it has not said, and no mail waits for it. What
speaks for a mail counts only of who is proved to have sent it. RFC 5782.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from mailstack.model.dns_list import public_address, public_names
from mailstack.model.instant import Clock
from mailstack.model.spam import Finding
from mailstack.model.verdict import Authentication, DkimResult, DmarcResult, IprevResult, SpfResult
from mailstack.ports.resolver import Resolver
from mailstack.services.spam.breaker import Rest
from mailstack.services.spam.dns_list import DnsList
from mailstack.services.spam.examined import Examined
from mailstack.services.spam.sender import arrival_in
from mailstack.spam.links import link_hosts

DEADLINE_S = 2.0
MOST_HOSTS = 20
"""Of links. Half of them from the end: whoever puts good ones first hides nothing."""
MOST_DOMAINS = 10

log = structlog.get_logger()


class About(StrEnum):
    """What a list is asked about."""

    PEERS = "peers"
    DOMAINS = "domains"
    LINKS = "links"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredList:
    """codes: points of each code, four octets with perhaps `*` for one; bits: of each bit of the last octet; points: of
    all others, 0 for nothing."""

    zone: str
    of: Collection[About]
    points: float = 0.0
    codes: Mapping[str, float] = field(default_factory=dict)
    bits: Mapping[int, float] = field(default_factory=dict)

    def points_of(self, code: str) -> float:
        """The code itself counts before any pattern, and patterns in the order in which they stand."""
        if code in self.codes:
            return self.codes[code]
        octets = code.split(".")
        for pattern, points in self.codes.items():
            if all(wanted in ("*", octet) for wanted, octet in zip(pattern.split("."), octets, strict=True)):
                return points
        last = int(octets[-1])
        if told := [points for bit, points in self.bits.items() if last & bit]:
            # Lists that add up say several times that one thing is bad: what has two bits is not twice as bad.
            return max(told) if max(told) > 0 else min(told)
        return self.points


@dataclass(frozen=True, slots=True)
class _Question:
    """name: as a list is asked. shown: for people. is_proved: that it is of whoever sent this mail."""

    about: About
    name: str
    shown: str
    is_proved: bool


class DnsLists:
    """A source of services.spam.scoring. own: our domains; nobody is asked about them and what is below. backups: host
    names of our backups, whose mail has the address on it of who brought it there."""

    def __init__(
        self,
        resolver: Resolver,
        lists: Sequence[ScoredList],
        *,
        own: Collection[str],
        backups: Sequence[str] = (),
        clock: Clock,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._own = frozenset(own)
        self._backups = tuple(backups)
        self._deadline_s = deadline_s
        self._lists = [
            (each, DnsList(resolver, each.zone, clock=clock, has_addresses=About.PEERS in each.of)) for each in lists
        ]

    @property
    def rests(self) -> Sequence[Rest]:
        return [rest for _, asked in self._lists for rest in asked.rests]

    async def findings(self, mail: Examined) -> Sequence[Finding]:
        if not self._lists:
            return ()
        questions = tuple(self._questions(mail))
        found = await asyncio.gather(*(self._asked(each, asked, questions) for each, asked in self._lists))
        return [finding for finding in found if finding is not None]

    async def _asked(self, scored: ScoredList, asked: DnsList, questions: Sequence[_Question]) -> Finding | None:
        """One list counts once, however much it has."""
        mine = [question for question in questions if question.about in scored.of]
        answers = await asyncio.gather(*(self._in_time(asked, question) for question in mine))
        if mine and not any(answer is not None for answer in answers):
            log.info("blocklist did not answer in time", zone=scored.zone)
            asked.was_late()
        told = [
            (points, f"{question.shown} {code}")
            for question, codes in zip(mine, answers, strict=True)
            for code in codes or ()
            if (points := scored.points_of(code)) > 0 or (points < 0 and question.is_proved)
        ]
        if not told:
            return None
        # What is good of one name does not make another better.
        points, why = max(told) if max(told)[0] > 0 else min(told)
        return Finding(rule=f"list-{scored.zone}", points=points, why=why)

    async def _in_time(self, asked: DnsList, question: _Question) -> Sequence[str] | None:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await asked.listings(question.name)
        except TimeoutError:
            return None

    def _questions(self, mail: Examined) -> Iterator[_Question]:
        peer_host = mail.peer_host or self._peer_of_backup(mail)
        if peer := public_address(peer_host):
            yield _Question(About.PEERS, peer, peer_host, is_proved=True)
        yield from self._of_names(About.DOMAINS, _domains(mail))
        links = [host for host in link_hosts(mail.seen.links) if not self._is_own(host)]
        half = MOST_HOSTS // 2
        some = links if len(links) <= MOST_HOSTS else [*links[:half], *links[-half:]]
        for host in some:
            # RFC 5782 has no word on it; lists of links are asked about addresses as lists of addresses are.
            if address := public_address(host):
                yield _Question(About.LINKS, address, host, is_proved=False)
        yield from self._of_names(About.LINKS, dict.fromkeys(some, False))

    def _peer_of_backup(self, mail: Examined) -> str:
        found = (arrival_in(mail.raw, backup)[0] for backup in self._backups)
        return next(filter(None, found), "")

    def _of_names(self, about: About, hosts: Mapping[str, bool]) -> Iterator[_Question]:
        """hosts: and whether each is proved."""
        names: dict[str, bool] = {}
        for host, is_proved in hosts.items():
            for name in () if self._is_own(host) else public_names(host):
                names[name] = names.get(name, False) or is_proved
        for name, is_proved in names.items():
            yield _Question(about, name, name, is_proved)

    def _is_own(self, host: str) -> bool:
        labels = host.lower().split(".")
        return any(".".join(labels[at:]) in self._own for at in range(len(labels)))


def _domains(mail: Examined) -> Mapping[str, bool]:
    """Of its author, its sender, those who signed it and the server that brought it, and whether that is proved."""
    found: dict[str, bool] = {}
    checked = mail.authentication
    if mail.author is not None:
        author = mail.author.domain.decode("utf-8", "replace").lower()
        found[author] = checked is not None and checked.dmarc.result is DmarcResult.PASS
    sender = mail.reverse_path.rpartition("@")[2].lower()
    is_sender = checked is not None and checked.mail_from.result is SpfResult.PASS
    found[sender] = found.get(sender, False) or is_sender
    found.setdefault(mail.ehlo_domain.lower(), False)
    if checked is not None:
        found |= dict.fromkeys(_proved(checked), True)
    return dict(list(found.items())[:MOST_DOMAINS])


def _proved(checked: Authentication) -> Iterator[str]:
    if checked.iprev.result is IprevResult.PASS:
        yield checked.iprev.name
    for signature in checked.dkim:
        if signature.result is DkimResult.PASS:
            yield signature.domain
