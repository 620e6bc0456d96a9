"""Rules that a spec adds: each part of a mail, each way to compare."""

import pytest

from mailstack.formats.expressions import NoExpression
from mailstack.spam.rules.own import AllOf, AnyOf, Compares, Condition, How, Not, OwnRule, OwnRules, Part, Weighs
from tests.support.evidence import HONEST, evidence

MAIL = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <juergen@Shop.example>\r\n"
    b"To: alice@example.org, b@example.org\r\nCc: c@example.net\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from the shop\r\nX-Campaign: 4711\r\nX-Campaign: Summer\r\n"
    b"List-Id: Offers <offers.shop.example>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\nContent-Type: text/html\r\n\r\n<p>Buy <b>now</b> at <a href='https://www.Shop.example/x'>us</a>\r\n"
    b"--x\r\nContent-Type: application/pdf; name=Offer.PDF\r\n\r\n%PDF\r\n--x--\r\n"
)


def holds(condition: Condition, raw: bytes = MAIL, reverse_path: str = "bounce@esp.example") -> bool:
    rules = OwnRules([OwnRule(name="shouting", points=2.5, condition=condition)])
    return bool(rules.findings(evidence(raw, reverse_path=reverse_path)))


def compares(part: Part, how: How, *texts: str, field: str = "") -> Compares:
    return Compares(part=part, how=how, texts=texts, field=field)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (compares(Part.FROM, How.IS, "juergen@shop.example"), True),
        (compares(Part.FROM, How.DOMAIN, "shop.example"), True),
        (compares(Part.FROM, How.DOMAIN, "example"), False),
        (compares(Part.FROM, How.CONTAINS, "Jürgen"), False),
        (compares(Part.TO, How.IS, "c@example.net"), True),
        (compares(Part.TO, How.IS, "x@example.net", "b@example.org"), True),
        (compares(Part.SUBJECT, How.CONTAINS, "GRÜSSE"), True),
        (compares(Part.SUBJECT, How.IS, "from the shop"), False),
        (compares(Part.SUBJECT, How.MATCHES, "gr??e * SHOP"), True),
        (compares(Part.SUBJECT, How.MATCHES, "from*"), False),
        (compares(Part.SUBJECT, How.REGEX, "FROM (a|the) shop$"), True),
        (compares(Part.HEADER, How.IS, "summer", field="X-Campaign"), True),
        (compares(Part.HEADER, How.IS, "summer", field="X-Other"), False),
        (compares(Part.LIST, How.IS, "offers.shop.example"), True),
        (compares(Part.BODY, How.CONTAINS, "buy now at us"), True),
        (compares(Part.BODY, How.CONTAINS, "href"), False),
        (compares(Part.LINK, How.IS, "www.shop.example"), True),
        (compares(Part.LINK, How.DOMAIN, "shop.example"), True),
        (compares(Part.LINK, How.DOMAIN, "op.example"), False),
        (compares(Part.ATTACHMENT, How.MATCHES, "*.pdf"), True),
        (compares(Part.ATTACHMENT, How.MATCHES, "*.exe"), False),
        (compares(Part.SENDER, How.DOMAIN, "esp.example"), True),
        (Weighs(over=len(MAIL) - 1), True),
        (Weighs(over=len(MAIL)), False),
        (Weighs(over=10, under=len(MAIL) + 1), True),
        (Weighs(under=len(MAIL)), False),
        (Not(Weighs(under=10)), True),
        (AllOf((Weighs(over=1), Weighs(under=10))), False),
        (AnyOf((Weighs(over=1), Weighs(under=10))), True),
    ],
)
def test_conditions(condition: Condition, expected: bool) -> None:
    assert holds(condition) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"), [("a\\*b", False), ("Hel*o", True), ("?ello", True), ("hell", False), ("[h]ello", False)]
)
def test_patterns_are_of_the_whole(pattern: str, expected: bool) -> None:
    assert holds(compares(Part.SUBJECT, How.MATCHES, pattern), HONEST) is expected


def test_a_bounce_has_an_empty_sender() -> None:
    assert holds(compares(Part.SENDER, How.IS, ""), reverse_path="")


def test_what_holds_has_the_points_of_its_rule() -> None:
    rules = OwnRules(
        [
            OwnRule(name="shouting", points=2.5, condition=Weighs(over=1)),
            OwnRule(name="ours", points=-4, condition=Weighs(over=1)),
            OwnRule(name="never", points=9, condition=Weighs(under=1)),
        ]
    )
    found = rules.findings(evidence())
    assert [(finding.rule, finding.points) for finding in found] == [("shouting", 2.5), ("ours", -4)]


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(NoExpression):
        OwnRules([OwnRule(name="x", points=1, condition=compares(Part.SUBJECT, How.REGEX, "("))])
