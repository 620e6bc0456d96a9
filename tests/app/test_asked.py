"""Lists and engines of a blueprint: asked as the spec has them, with its secrets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mailstack.app.asked import asked_by, dns_lists_of, engines_of
from mailstack.app.blueprint import Blueprint, from_json, to_json
from mailstack.model.ids import Generation
from mailstack.model.instant import MINUTE_MS
from mailstack.model.resource import (
    RSPAMD_PASSWORD,
    BitBody,
    Body,
    ClamavBody,
    CodeBody,
    DnsListBody,
    DomainBody,
    Kind,
    Resource,
    RspamdBody,
    SpamBody,
    fields_of,
)
from mailstack.model.spam import Finding
from mailstack.services.spam.breaker import FAILURES
from tests.support.engines_beside import VIRUS, real_clamd
from tests.support.examined import RAW, examined
from tests.support.fake_clock import FakeClock
from tests.support.memory_greylist import MemoryGreylist
from tests.support.memory_resolver import MemoryResolver

OWN = DomainBody(catch_all=None, subaddress_separators="+", alias_of=None, dkim_algorithms=())
LISTED = {
    "2.0.0.127.bl.example": ("127.0.0.2",),
    "4.4.8.8.bl.example": ("127.0.0.2",),
    "shop.example.bl.example": ("127.0.1.7",),
    "example.com.bl.example": ("127.0.1.4",),
}


def blueprint(body: SpamBody, **secrets: str) -> Blueprint:
    """As a worker has it: it came as JSON."""
    resources: Sequence[tuple[Kind, str, Body]] = ((Kind.SPAM, "spam", body), (Kind.DOMAIN, "example.com", OWN))
    made = Blueprint(
        generation=Generation(1),
        postmaster=None,
        secret_key=b"k" * 32,
        resources=tuple(Resource(kind=kind, name=name, fields=fields_of(each)) for kind, name, each in resources),
        secrets={Kind.SPAM: {"spam": secrets}},
    )
    return from_json(to_json(made))


async def test_lists_are_asked_as_the_spec_has_them_and_not_about_our_own() -> None:
    body = SpamBody(
        lists=(
            DnsListBody(zone="bl.example", of=("domains",), codes=(CodeBody(code="127.0.1.*", points=2.5),)),
            DnsListBody(zone="bl.example", of=("peers",), bits=(BitBody(bit=2, points=4.0),)),
            DnsListBody(zone="bl.example", of=("links",), points=9.0),
        )
    )
    lists = dns_lists_of(blueprint(body), MemoryResolver(hosts=LISTED), clock=FakeClock())
    found = await lists.findings(examined(RAW + b"https://www.example.com\r\n"))
    assert found == [
        Finding(rule="list-bl.example", points=2.5, why="shop.example 127.0.1.7"),
        Finding(rule="list-bl.example", points=4.0, why="8.8.4.4 127.0.0.2"),
    ]


async def test_who_does_not_answer_is_told_until_it_is_asked_again(tmp_path: Path) -> None:
    clock, question = FakeClock(), "4.4.8.8.bl.example"
    nowhere = ClamavBody(deadline_s=5, max_size_bytes=1 << 20, on_virus="reject", socket=str(tmp_path / "none"))
    body = SpamBody(lists=(DnsListBody(zone="bl.example", of=("peers",), points=1.0),), clamav=nowhere)
    asked = asked_by(blueprint(body), MemoryResolver(failing={question}), MemoryGreylist(), clock=clock)
    (engine,) = asked.engines
    assert asked.rests == []
    for _ in range(FAILURES):
        assert await asked.lists.findings(examined(RAW)) == []
        await engine.scanned(examined(RAW))
    of_list, of_engine = asked.rests
    assert (of_list.name, of_list.reason) == ("bl.example", f"DNS: {question} timed out")
    assert (of_engine.name, of_engine.until) == ("clamav", clock() + MINUTE_MS)
    clock.advance(MINUTE_MS)
    assert asked.rests == []


def test_without_engines_nobody_is_asked() -> None:
    assert engines_of(blueprint(SpamBody()), MemoryResolver(), clock=FakeClock()) == []
    assert blueprint(SpamBody()).rspamd_password == ""


def test_the_password_of_rspamd_is_the_servers() -> None:
    rspamd = RspamdBody(url="http://127.0.0.1:11333", deadline_s=5, max_points=7.5)
    made = blueprint(SpamBody(rspamd=rspamd), **{RSPAMD_PASSWORD: "open sesame"})
    assert made.rspamd_password == "open sesame"
    assert "open sesame" not in repr(made)
    assert len(engines_of(made, MemoryResolver(), clock=FakeClock())) == 1


async def test_a_virus_is_refused_or_goes_to_junk_as_the_spec_says(tmp_path: Path) -> None:
    with real_clamd(tmp_path) as socket:
        refuses = ClamavBody(deadline_s=20, max_size_bytes=1 << 20, on_virus="reject", socket=socket)
        for clamav, keeps in ((refuses, False), (replace(refuses, on_virus="junk"), True)):
            (engine,) = engines_of(blueprint(SpamBody(clamav=clamav)), MemoryResolver(), clock=FakeClock())
            found = await engine.scanned(examined(RAW + VIRUS))
            assert (found.virus, found.keeps_virus) == ("Test.Stand-In.UNOFFICIAL", keeps)
