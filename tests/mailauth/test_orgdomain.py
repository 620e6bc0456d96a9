"""The tree walk, by the examples of RFC 9989 §4.10."""

import pytest

from mailstack.mailauth.orgdomain import MAX_QUERIES, organizational_domain, targets, walk
from mailstack.model.errors import TryAgainLater
from tests.support.memory_resolver import MemoryResolver


def test_a_long_name_takes_eight_questions() -> None:
    found = targets("a.b.c.d.e.f.g.h.i.j.mail.example.com")
    assert len(found) == MAX_QUERIES
    assert found == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    )


@pytest.mark.parametrize(
    ("domain", "count"), [("com", 1), ("example.com", 2), ("a.b.c.d.e.f.g.com", 8), ("a.b.c.d.e.f.g.h.com", 8)]
)
def test_a_short_name_takes_one_for_each_label(domain: str, count: int) -> None:
    assert len(targets(domain)) == count
    assert len(set(targets(domain))) == count


@pytest.mark.parametrize(
    ("domain", "records", "organization"),
    [
        ("a.mail.example.com", {"mail.example.com": "", "example.com": ""}, "example.com"),
        ("a.mail.example.com", {"mail.example.com": "psd=n", "example.com": ""}, "mail.example.com"),
        ("a.mail.example.com", {"com": "psd=y"}, "example.com"),
        ("mail.example.com", {"example.com": "psd=y"}, "mail.example.com"),
        ("example.com", {"example.com": "psd=y"}, "example.com"),  # where the walk began, it names nothing below
        ("com", {"com": "psd=y"}, "com"),
        ("a.mail.example.com", {"a.mail.example.com": "psd=u"}, "a.mail.example.com"),
        ("a.mail.example.com", {}, "a.mail.example.com"),
        ("a.mail.example.com", {"a.mail.example.com": "psd=n", "com": "psd=y"}, "a.mail.example.com"),
        ("mail.a.b.c.d.e.f.g.example.com", {"b.c.d.e.f.g.example.com": "psd=n", "example.com": ""}, "example.com"),
    ],
)
async def test_organizational_domains(domain: str, records: dict[str, str], organization: str) -> None:
    resolver = MemoryResolver(txt={f"_dmarc.{name}": [f"v=DMARC1; {tags}"] for name, tags in records.items()})
    assert organizational_domain(domain, await walk(resolver, domain)) == organization


async def test_whoever_says_what_it_is_ends_the_walk() -> None:
    resolver = MemoryResolver(txt={"_dmarc.mail.example.com": ["v=DMARC1; psd=n"]}, failing={"_dmarc.example.com"})
    assert [item.domain for item in await walk(resolver, "a.mail.example.com")] == ["mail.example.com"]
    with pytest.raises(TryAgainLater):
        await walk(resolver, "example.com")
