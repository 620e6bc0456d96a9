"""SPF records as they are read, and what is wrong with them. RFC 7208 §4.5, §4.6, §12."""

import pytest

from mailstack.mailauth.spf.macro import Macro
from mailstack.mailauth.spf.record import (
    MOST_RECORD_OCTETS,
    All,
    Directive,
    Exists,
    Hosts,
    Include,
    Mechanism,
    Network,
    Ptr,
    parse_record,
    select,
)
from mailstack.model.errors import Invalid
from mailstack.model.verdict import SpfResult

D = Macro(letter="d", parts=0, is_reversed=False, delimiters="", is_escaped=False)


@pytest.mark.parametrize(
    ("term", "mechanism"),
    [
        ("all", All()),
        ("include:a.example", Include("a.example")),
        ("a", Hosts(False, "", 32, 128)),
        ("A:a.example./24//64", Hosts(False, "a.example.", 24, 64)),
        ("mx//0", Hosts(True, "", 32, 0)),
        ("mx:b:c/d.example", Hosts(True, "b:c/d.example", 32, 128)),
        ("ptr", Ptr("")),
        ("ptr:a.example", Ptr("a.example")),
        ("ip4:192.0.2.1", Network(4, 0xC0000201, 0)),
        ("ip4:192.0.2.1/24", Network(4, 0xC00002, 8)),
        ("ip4:192.0.2.1/0", Network(4, 0, 32)),
        ("ip6:2001:db8::/32", Network(6, 0x20010DB8, 96)),
        ("exists:x.%{d}", Exists(("x.", D))),
        ("exists:x%%%_%-.example", Exists("x% %20.example")),
    ],
)
def test_terms(term: str, mechanism: Mechanism) -> None:
    assert parse_record(f"v=spf1 -{term}").directives == (Directive(SpfResult.FAIL, mechanism, f"-{term}"),)


@pytest.mark.parametrize(
    "term",
    [
        *("moo", "all:x", "all/8", "all.", "=x", "1up=x", "+-all", "include", "exists", "include:", "ptr/8", "ptr:"),
        *("a:", "a:example", "a:example.", "a:192.0.2.1", "a:a.example/33", "a/024", "a//129", "a/24/48", "mx/"),
        *("ip4", "ip4:", "ip4:192.0.2", "ip4:192.0.2.256", "ip4:192.0.02.1", "ip4:192.0.2.1/33", "ip4:192.0.2.1//24"),
        *("ip6:x", "ip6:1::2::3", "ip6:1.2.3.4", "ip6:::1/129", "ip6:fe80::1%eth0"),
        *(
            "exists:%",
            "exists:%{d",
            "exists:%{x}.example",
            "exists:%{c}.example",
            "exists:%{d0}",
            "exists:%(d).example",
        ),
        *("a:%{d}x", "a:%%-", "a:x.example-", "a:x.-example", "redirect=", "redirect=%{r}", "exp=-all", "x=%"),
        *("redirect=a.example redirect=a.example", "exp=a.example EXP=a.example"),
        *("a\tmx", "a\x00", "\x7f", "a:\udcff.example", "ä"),
    ],
)
def test_one_fault_anywhere_and_nothing_counts(term: str) -> None:
    for record in (f"v=spf1 {term}", f"v=spf1 +all {term} -all"):
        with pytest.raises(Invalid) as refused:
            parse_record(record)
        assert refused.value.detail.isascii()
        assert refused.value.detail.isprintable()


def test_modifiers_count_wherever_they_stand() -> None:
    record = parse_record("v=spf1 Redirect=a.example x=y exp=%{d}  -all ")
    assert (record.redirect, record.explanation) == ("a.example", (D,))
    assert len(record.directives) == 1


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (("v=spf1",), "v=spf1"),
        (("x", "V=SPF1 a", "v=spf10", "v=spf1\t", " v=spf1"), "V=SPF1 a"),
        (("v=spf", ""), None),
        ((), None),
    ],
)
def test_the_one_record_among_other_texts(texts: tuple[str, ...], chosen: str | None) -> None:
    assert select(texts) == chosen


def test_two_records_are_an_error() -> None:
    with pytest.raises(Invalid):
        select(("v=spf1 -all", "v=spf1 -all"))


def test_a_record_that_nobody_publishes_in_earnest_is_an_error() -> None:
    longest = "v=spf1" + " a" * ((MOST_RECORD_OCTETS - 6) // 2)
    assert len(parse_record(longest).directives) == 2_045
    with pytest.raises(Invalid):
        parse_record(longest + " a")
