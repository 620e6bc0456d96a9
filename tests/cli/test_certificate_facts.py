"""What status says of certificates, for people: few are listed, of many only those that need somebody."""

from mailstack.cli.certificate_facts import certificate_lines


def certificate(name: str, days_left: int | None = 60, reason: str = "") -> dict[str, object]:
    failure = {"reason": reason} if reason else None
    return {"name": name, "issuer": "acme", "days_left": days_left, "failure": failure}


def test_a_few_are_listed() -> None:
    assert list(certificate_lines([certificate("a.example"), certificate("b.example", None)])) == [
        "a.example: acme, 60 days left",
        "b.example: acme, cannot be read",
    ]


def test_of_many_only_those_that_need_somebody() -> None:
    many = [certificate(f"{number}.example") for number in range(100)]
    many += [certificate("late.example", 3), certificate("broken.example", 20, "port 80 is closed")]
    assert list(certificate_lines(many)) == [
        "late.example: acme, 3 days left",
        "broken.example: acme, 20 days left; not renewed: port 80 is closed",
        "100 more, all good",
    ]
