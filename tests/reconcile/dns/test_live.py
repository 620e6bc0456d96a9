"""What follows from the answers of several servers."""

import pytest

from mailstack.reconcile.dns.live import NOT_ASKED, NotAsked, Seen, Sight, comparable, is_reserved, spread


def sights(**values: str | None) -> Seen:
    """One server each; None for one that is down."""
    return Seen(
        sights=tuple(
            Sight(server=name, failure="does not answer") if value is None else Sight(server=name, values=(value,))
            for name, value in values.items()
        )
    )


@pytest.mark.parametrize(
    ("seen", "is_everywhere"),
    [
        (sights(a="x", b="x"), True),
        (sights(a="x", b="old"), False),
        (sights(a="x", b=None), True),
        (sights(a=None, b=None), False),
        (Seen(failure="no servers"), False),
    ],
)
def test_a_value_is_everywhere_when_all_who_answer_show_it_and_one_does(seen: Seen, is_everywhere: bool) -> None:
    assert spread(seen, ("x",)).is_everywhere is is_everywhere


def test_each_server_is_in_one_place() -> None:
    found = spread(sights(a="x", b="old", c=None), ("x",))
    assert (found.at, found.missing_at, found.unknown_at) == (("a",), ("b",), ("c",))


def test_values_of_others_beside_ours_do_not_count() -> None:
    seen = Seen(sights=(Sight(server="a", values=("site=1", "v=spf1 -all")),))
    assert spread(seen, ("v=spf1 -all",)).is_everywhere


@pytest.mark.parametrize("pasted", ["v=DKIM1;k=rsa;p=AB", "v=DKIM1; k=rsa; p=AB;", "v=DKIM1;  k=rsa ; p=AB"])
def test_white_space_in_a_list_of_tags_is_no_difference(pasted: str) -> None:
    assert comparable(pasted) == comparable("v=DKIM1; k=rsa; p=AB")


def test_other_values_differ() -> None:
    assert comparable("v=DKIM1; p=AB") != comparable("v=DKIM1; p=AC")


@pytest.mark.parametrize(
    ("name", "is_kept"),
    [("mail.example.com", True), ("a.TEST.", True), ("example.org", True), ("example.de", False), ("test.se", False)],
)
def test_names_kept_for_documentation_are_known(name: str, is_kept: bool) -> None:
    assert is_reserved(name) is is_kept


async def test_where_nobody_is_asked_nothing_is_known() -> None:
    assert (await NotAsked().seen("a.se", "a.se", "MX")).failure == NOT_ASKED
    assert (await NotAsked().resolved("a.se", "MX")).failure == NOT_ASKED
