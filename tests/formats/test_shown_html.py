"""HTML of mail, cleaned."""

import pytest

from mailstack.formats.shown_html import MAX_QUOTED, Pictures, cleaned, text_as_html


def pictures() -> Pictures:
    return Pictures(of_part=lambda cid: f"https://own/{cid}" if cid == "a@x" else None, of_elsewhere=None)


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<script>x()</script>a", "a"),
        ("<p onclick='x()' onmouseover=x() id=a class=b name=c>a</p>", "<p>a</p>"),
        ("<svg><script>x()</script><a xlink:href='javascript:x()'>a</a></svg>b", "b"),
        ("<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=x()&gt;'>", ""),
        ("<noscript><p title='</noscript><img src=x onerror=x()>'></noscript>a", '<img loading="lazy">\'&gt;a'),
        ("<iframe srcdoc='<script>x()</script>'></iframe><object data=x></object><embed src=x>a", "a"),
        ("<form action=http://x/><input name=a><button formaction=x>b</button></form>", "b"),
        ("<meta http-equiv=refresh content='0;url=http://x/'><base href=http://x/><link rel=stylesheet href=x>a", "a"),
        ("<style>@import url(http://x/)</style><title>t</title>a", "a"),
        ("<div style='color: red; position: fixed; top: 0'>a</div>", '<div style="color:red">a</div>'),
        ("<div style='background-color: url(http://x/)'>a</div>", "<div>a</div>"),
        ("<div style='color: \\75rl(x)'>a</div>", "<div>a</div>"),
        ("<div style='width: expression(x())'>a</div>", "<div>a</div>"),
        ("<div style='height: 100vh; width: 50vw'>a</div>", '<div style="height:auto;width:50vw">a</div>'),
        ("<div style='min-width: calc(10.5DVH + 1px)'>a</div>", '<div style="min-width:calc(auto + 1px)">a</div>'),
        ("<img src='cid:a@x' alt=b>", '<img src="https://own/a@x" alt="b" loading="lazy">'),
        ("<img src='cid:a%40x' alt=b>", '<img src="https://own/a@x" alt="b" loading="lazy">'),
        ("<img src='cid:other'>", '<img loading="lazy">'),
        ("<img src='data:image/png;base64,AAAA'>", '<img src="data:image/png;base64,AAAA" loading="lazy">'),
        ("<img src='data:image/svg+xml;base64,AAAA'>", '<img loading="lazy">'),
        ("<img src=/own/path srcset='http://x/ 2x'>", '<img loading="lazy">'),
        ("<table background=http://x/><tr><td>a", "<table><tbody><tr><td>a</td></tr></tbody></table>"),
        ("<a name=x>a</a>", '<a target="_blank" rel="noopener noreferrer nofollow">a</a>'),
    ],
)
def test_what_is_left(markup: str, shown: str) -> None:
    assert cleaned(markup, pictures()) == shown


@pytest.mark.parametrize(
    "href",
    [
        "javascript:x()",
        " java\nscript:x()",
        "JaVaScRiPt:x()",
        "data:text/html,x",
        "vbscript:x",
        "cid:a@x",
        "/mail",
        "//x",
    ],
)
def test_links_lead_nowhere_they_must_not(href: str) -> None:
    assert "href" not in cleaned(f'<a href="{href}">a</a>', pictures())


@pytest.mark.parametrize("href", ["https://x.example/a?b=1", "mailto:a@x.example", "tel:+491"])
def test_links_are_followed_in_a_page_of_their_own(href: str) -> None:
    expected = f'<a href="{href}" target="_blank" rel="noopener noreferrer nofollow">a</a>'
    found = cleaned(f'<a href="{href}">a</a>', pictures())
    assert sorted(found.split()) == sorted(expected.split())


@pytest.mark.parametrize("src", ["http://x/a.gif", "HTTPS://x/a.gif", "//x/a.gif", " http://x/a.gif"])
def test_pictures_of_elsewhere_are_hidden_and_counted_or_had_by_way_of_us(src: str) -> None:
    hiding = pictures()
    assert "src" not in cleaned(f'<img src="{src}">', hiding).replace("srcset", "")
    assert hiding.hidden == 1
    showing = Pictures(of_part=lambda _: None, of_elsewhere=lambda url: f"https://own/?{url.partition(':')[2]}")
    assert 'src="https://own/?//x/a.gif"' in cleaned(f'<img src="{src}">', showing)
    assert showing.hidden == 0


def test_what_leads_nowhere_is_not_asked_for() -> None:
    showing = Pictures(of_part=lambda _: None, of_elsewhere=lambda _: None)
    assert "src" not in cleaned('<img src="https://127.1/a.gif">', showing)


# What a tracker is made of, and pictures beside it that are to be seen.
DOTS = (
    'width="1" height="1"',
    'height="1"',
    "width=0 height=0",
    'width="2px" height="2"',
    'style="width:1px;height:1px"',
    'style="WIDTH: 1PX !important; height: 0"',
    'style="max-width:1px"',
    'style="width:1.5px; height:2pt" width=100',
    'style="display: none" width=100 height=100',
    'width="+1" height=" 1 "',
)
SEEN = (
    "",
    'width="600" height="1"',
    'width="3" height="3"',
    'width="100%"',
    'width="1%"',
    'style="width:1em"',
    'style="width:1%;height:auto"',
    'width="1" style="width:100px"',
    'style="border-width:1px"',
    'style="line-height:1px;min-width:1px"',
    'width="auto"',
    'width="12345678901"',
)


@pytest.mark.parametrize("given", DOTS)
def test_a_picture_that_nobody_sees_is_never_asked_for(given: str) -> None:
    for src in (f'src="https://x/a.gif" {given}', f'{given} src="//x/a.gif"'):
        showing = Pictures(of_part=lambda _: None, of_elsewhere=lambda _: "https://own/")
        assert "src=" not in cleaned(f"<p><img {src}></p>", showing)
        assert (showing.hidden, showing.left_out) == (0, 1)
        hiding = pictures()
        cleaned(f"<image {src}>", hiding)
        assert (hiding.hidden, hiding.left_out) == (0, 1)


@pytest.mark.parametrize("given", SEEN)
def test_others_are(given: str) -> None:
    showing = Pictures(of_part=lambda _: None, of_elsewhere=lambda _: "https://own/")
    assert 'src="https://own/"' in cleaned(f'<img src="https://x/a.gif" {given}>', showing)
    assert showing.left_out == 0


def test_each_picture_is_judged_by_its_own_size() -> None:
    kinds = [(number, number * 7 % 3 == 0) for number in range(40)]
    markup = "".join(
        f"<div><img {'width=1' if is_dot else 'width=80'} src=https://x/{number}><svg><image href=x></svg>"
        f"{'</div>' * (number % 2)}<b><img>"
        for number, is_dot in kinds
    )
    asked: list[str] = []

    def note(url: str) -> str:
        asked.append(url)
        return url

    showing = Pictures(of_part=lambda _: None, of_elsewhere=note)
    found = cleaned(markup, showing)
    expected = {f"https://x/{number}" for number, is_dot in kinds if not is_dot}
    assert set(asked) == expected
    assert all(f'src="{url}"' in found for url in expected)
    assert showing.left_out == len(kinds) - len(expected)


def test_pictures_of_the_message_itself_may_be_as_small_as_they_like() -> None:
    dot = pictures()
    assert 'src="https://own/a@x"' in cleaned("<img src='cid:a@x' width=1 height=1>", dot)
    assert dot.left_out == 0


def test_text() -> None:
    found = cleaned(text_as_html("1 < 2 & <b>\n> a\n>> b\nsee (https://x.example/a_(b)), or mailto:a@x!"), pictures())
    link = 'target="_blank" rel="noopener noreferrer nofollow"'
    assert found == (
        '<div style="white-space:pre-wrap">1 &lt; 2 &amp; &lt;b&gt;\n'
        "<blockquote>a\n<blockquote>b\n</blockquote></blockquote>"
        f'see (<a href="https://x.example/a_(b" {link}>https://x.example/a_(b</a>)), or <a href="mailto:a@x" {link}>'
        "mailto:a@x</a>!\n</div>"
    )


def test_quotes_are_only_so_deep() -> None:
    assert text_as_html(">" * 100_000).count("<blockquote>") == MAX_QUOTED
