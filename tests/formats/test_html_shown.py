"""HTML as its reader sees it: what is shown, what hides, where links lead; never at more than linear cost."""

import pytest

from mailstack.formats.html_shown import MAX_LINKS, MAX_REST, MAX_TAGS, shown_of
from mailstack.formats.html_text import html_to_text


@pytest.mark.parametrize(
    ("markup", "text", "hidden"),
    [
        ("<p>one</p>two", " one two", ""),
        ("V<!-- x -->i<b></b>agra", "Viagra", ""),
        ('a<span style="display:none">b</span>c', "ac", "b"),
        ("a<span style='DISPLAY : None'>b</span>c", "ac", "b"),
        ("a<span style=visibility:hidden>b</span>c", "ac", "b"),
        ('a<span style="font-size:0">b</span>c', "ac", "b"),
        ('a<span style="font-size:0px;color:red">b</span>c', "ac", "b"),
        ('a<span style="font-size:1px">b</span>c', "ac", "b"),
        ('a<span style="font-size:10px">b</span>c', "abc", ""),
        ('a<span style="font-size:0.8em">b</span>c', "abc", ""),
        ('a<span style="opacity:0">b</span>c', "ac", "b"),
        ('a<span style="opacity:0.5">b</span>c', "abc", ""),
        ("a<span style='mso-hide:all'>b</span>c", "ac", "b"),
        ("a<font size=0>b</font>c", "ac", "b"),
        ("a<font size=2>b</font>c", "abc", ""),
        ("a<span hidden>b</span>c", "ac", "b"),
        ("a<span class=hidden>b</span>c", "abc", ""),
        ("a<font color=white>b</font>c", "ac", "b"),
        ('a<font color="#FFFFFF">b</font>c', "ac", "b"),
        ('a<span style="color: #fff">b</span>c', "ac", "b"),
        ("<td bgcolor=navy><font color=white>b</font></td>", " b ", ""),
        ('<div style="background:#000;color:#fff">b</div>', " b ", ""),
        # Elements of one name in each other: the outer one hides until it ends.
        ("a<div style=display:none>b<div>c</div>d</div>e", "a  e", " b c d"),
        # HTML ends a paragraph where the next one begins.
        ("a<p style=display:none>b<p>c", "a  c", " b"),
        # Nothing is inside of an element that has no content.
        ("a<img style=display:none>b", "a b", ""),
        ("a<span style=display:none>b", "a", "b"),
        ("<style>p {}</style><script>x</script>&lt;a&gt;", "  <a>", ""),
        ("a<!-- open", "a", ""),
        ("", "", ""),
    ],
)
def test_what_is_shown_and_what_is_hidden(markup: str, text: str, hidden: str) -> None:
    shown = shown_of(markup)
    assert (shown.text, shown.hidden) == (text, hidden)


@pytest.mark.parametrize(
    ("markup", "links", "images"),
    [
        ('<a href="http://a.example/?b&amp;c">x</a>', ("http://a.example/?b&c",), ()),
        ("<A HREF=http://a.example>x</A>", ("http://a.example",), ()),
        ("<area href='http://a.example'>", ("http://a.example",), ()),
        ("<a data-href=http://a.example>x</a>", (), ()),
        ("<img src=cid:1><img src=http://b.example/x.gif>", (), ("cid:1", "http://b.example/x.gif")),
        ("<form action=http://f.example>", ("http://f.example",), ()),
        ('<td background="http://b.example">', (), ("http://b.example",)),
        # Where people cannot see the link, it leads nowhere the less.
        ("<div hidden><a href=http://h.example>x</a></div>", ("http://h.example",), ()),
        ('<a href="http://unclosed.example>x', ("http://unclosed.example",), ()),
    ],
)
def test_where_links_lead(markup: str, links: tuple[str, ...], images: tuple[str, ...]) -> None:
    shown = shown_of(markup)
    assert (shown.links, shown.images) == (links, images)


def test_forms_and_pictures_are_counted() -> None:
    shown = shown_of("<form method=post><input type=text><img alt=y><IMG src=x>")
    assert (shown.has_form, shown.image_count, shown.images) == (True, 2, ("x",))


def test_of_very_many_links_the_first_are_told() -> None:
    shown = shown_of("<a href=x>" * (MAX_LINKS + 1))
    assert len(shown.links) == MAX_LINKS
    assert not shown.is_cut


def test_behind_very_many_tags_words_are_still_read() -> None:
    shown = shown_of("<b></b>" * MAX_TAGS + "<p hidden>buy</p>")
    assert shown.is_cut
    assert shown.text.split() == ["buy"]


def test_of_very_much_behind_them_the_end_is_read() -> None:
    row = "<p class='row'>first</p>"
    shown = shown_of("<b></b>" * MAX_TAGS + row * MAX_REST + "<p>last</p>")
    assert set(shown.text.split()) == {"first", "last"}
    assert len(shown.text) < MAX_REST
    assert shown_of("<b></b>" * MAX_TAGS + "<p>" + "x" * MAX_REST * 2).text.strip() == "x" * MAX_REST


@pytest.mark.parametrize("markup", ["<p>one</p><p>two</p>", "w<b>or</b>d", "a<br>b &eacute;", "1 < 2 > 1", "<a b='c"])
def test_where_nothing_hides_it_is_the_text_that_searching_sees(markup: str) -> None:
    assert shown_of(markup).text == html_to_text(markup)


@pytest.mark.parametrize(
    "piece",
    ["<", "<a", "<!--", "<style>", "</", "<a b='", "<p style=", "<p style='color:", "<b hidden>", "href=", "-->"],
)
def test_hostile_markup_takes_linear_time(piece: str) -> None:
    shown_of(piece * (500_000 // len(piece)))
    shown_of("<a " + piece * (500_000 // len(piece)))


@pytest.mark.parametrize(
    ("markup", "named"),
    [
        ("<a href=http://b.example>www.a.example</a>", (("www.a.example", "http://b.example"),)),
        (
            "<a href='http://b.example/?x&amp;y'> <b>a.example</b>/&lt;c </a>",
            (("a.example/<c", "http://b.example/?x&y"),),
        ),
        ("<a href=http://b.example>read a.example now</a>", ()),
        ("<a href=http://b.example>here</a>", ()),
        ("<a name=x>a.example</a>", ()),
        ("<form action=http://b.example>a.example</a>", ()),
        ("<a href=http://b.example hidden>a.example</a>", ()),
        ("<a href=http://b.example>a.example", ()),
        (f"<a href=http://b.example>{'a.' * 200}</a>", ()),
    ],
)
def test_links_that_show_an_address(markup: str, named: tuple[tuple[str, str], ...]) -> None:
    assert shown_of(markup).named_links == named
