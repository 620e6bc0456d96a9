"""RFC 5703 §4, by its examples."""

import pytest

from tests.support.sieve import faults, holds

REQUIRE = 'require ["mime", "relational", "index"]'
MESSAGE = """\
From: a@b.example
Content-Type: multipart/mixed; boundary=b
X-Test: outer

--b
Content-Type: text/html; charset="utf-8"
X-Test: first

<p>x</p>
--b
Content-Type: application/PDF; name="plan.pdf"
Content-Disposition: attachment; filename*0*=utf-8''very%20; filename*1=important.pdf; size=12
X-Test: second
Content-ID: <c@d.example>

%PDF
--b
Content-Type: message/rfc822

From: Deep <deep@e.example>

text
--b--
"""


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        # RFC 5703 §4.1: without :anychild, the outermost header alone.
        ('header :mime "x-test" "outer"', True),
        ('header :mime "x-test" "first"', False),
        ('header :mime :anychild "x-test" "second"', True),
        ('header :mime :anychild :count "eq" "x-test" "3"', True),
        ('header :mime :type "content-type" "multipart"', True),
        ('header :mime :type "Content-Type" "image"', False),
        ('header :mime :anychild :contenttype "Content-Type" "text/html"', True),
        ('header :mime :anychild :subtype "Content-Type" "pdf"', True),
        ('header :mime :anychild :type "Content-Disposition" "attachment"', True),
        ('header :mime :anychild :contenttype "content-disposition" "attachment"', True),
        ('header :mime :anychild :subtype "content-disposition" ""', True),
        ('header :mime :type "x-test" ""', True),
        ('header :mime :type "x-none" ""', False),
        (
            'header :mime :anychild :param "filename" :contains ["Content-Type", "Content-Disposition"] "important"',
            True,
        ),
        ('header :mime :anychild :param "filename" "content-disposition" "very important.pdf"', True),
        ('header :mime :anychild :param ["NAME", "charset"] :count "eq" "content-type" "2"', True),
        ('header :mime :param "filename" :contains "content-type" ""', False),
        ('header :mime :anychild :index 2 "x-test" "first"', True),
        ('header :mime :anychild :index 1 :last :subtype "content-type" "rfc822"', True),
        ('address :mime :anychild :domain "from" "e.example"', True),
        ('address :mime :domain "from" "e.example"', False),
        ('exists :mime :anychild "content-id"', True),
        ('exists :mime "content-id"', False),
        ('exists :mime :anychild ["content-id", "x-test", "from"]', True),
        ('exists :mime :anychild ["content-id", "x-none"]', False),
        ('header "x-test" "first"', False),
    ],
)
def test_mime(test: str, expected: bool) -> None:
    assert holds(f"{REQUIRE}; {test}", MESSAGE) is expected


@pytest.mark.parametrize(
    "field", ["Content-Type", "Content-Type: ;;;", "Content-Disposition:", "Content-Disposition: ="]
)
def test_what_cannot_be_read_is_empty(field: str) -> None:
    name = field.partition(":")[0]
    for option in (":type", ":subtype", ":contenttype"):
        assert holds(f'{REQUIRE}; header :mime {option} "{name}" ""', f"{name}: \n{field}\n\n")


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ('header :anychild "a" "b"', "':anychild' without ':mime'"),
        ('header :type "a" "b"', "':type' without ':mime'"),
        ('header :param "x" "a" "b"', "':param' without ':mime'"),
        ('header :mime :type :subtype "a" "b"', "together with"),
        ('header :mime :param 13 "a" "b"', "expects a string"),
        ('header :mime :param :anychild "a" "b"', "needs"),
        ('exists :mime :type "a"', "unknown tagged argument"),
        ('address :mime :param "a" "to" "b"', "unknown tagged argument"),
    ],
)
def test_faults(test: str, says: str) -> None:
    (fault,) = faults(f'require "mime"; if {test} {{}}')
    assert says in fault
