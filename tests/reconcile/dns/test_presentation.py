"""Answers as texts that record sets are compared with."""

import dns.rdataset
import pytest

from mailstack.reconcile.dns.presentation import values_of


@pytest.mark.parametrize(
    ("record_type", "texts", "values"),
    [
        ("TXT", ['"v=spf1 " "-all"', '"a\\"b\\\\c"'], ('a"b\\c', "v=spf1 -all")),
        ("TXT", ['"\\195\\164"', '"\\255"'], ("\\xff", "ä")),
        ("MX", ["10 Mail.Example.SE."], ("10 mail.example.se.",)),
        ("SRV", ["0 1 993 MAIL.example.se."], ("0 1 993 mail.example.se.",)),
        ("AAAA", ["2001:DB8:0::1"], ("2001:db8::1",)),
        ("TLSA", ["3 1 1 " + "AB" * 32], ("3 1 1 " + "ab" * 32,)),
        ("CAA", ['0 issue "CA.example"'], ('0 issue "CA.example"',)),
        ("A", ["192.0.2.2", "192.0.2.1"], ("192.0.2.1", "192.0.2.2")),
    ],
)
def test_values(record_type: str, texts: list[str], values: tuple[str, ...]) -> None:
    assert values_of(dns.rdataset.from_text_list("IN", record_type, 300, texts)) == values
