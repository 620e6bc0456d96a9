"""Record sets as lines of a zone file."""

import dns.rdata
from hypothesis import given
from hypothesis import strategies as st

from mailstack.reconcile.dns.record_set import RecordSet, rdata_texts, zone_file_lines


def test_zone_file_lines_are_cut_at_255_octets() -> None:
    record = RecordSet(name="a.example", type="TXT", values=("x" * 300,), ttl_s=60)
    assert zone_file_lines([record]) == (f'a.example. 60 IN TXT "{"x" * 255}" "{"x" * 45}"',)


def test_what_apply_has_yet_to_make_is_a_comment() -> None:
    record = RecordSet(name="a.example", type="TLSA", values=("3 1 1 (known after apply)",), ttl_s=60)
    assert zone_file_lines([record]) == ("; a.example. 60 IN TLSA 3 1 1 (known after apply)",)


@given(st.text(max_size=600))
def test_any_text_survives_its_zone_file_form(value: str) -> None:
    octets = value.encode("utf-8", "replace")
    (text,) = rdata_texts(RecordSet(name="a.example", type="TXT", values=(octets.decode(),)))
    rdata = dns.rdata.from_text("IN", "TXT", text)
    assert b"".join(getattr(rdata, "strings", ())) == octets
