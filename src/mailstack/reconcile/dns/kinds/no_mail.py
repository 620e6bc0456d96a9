"""Names without mail: nobody sends to them, and nobody is believed who sends as them. RFC 7505, RFC 7208, RFC 9989."""

from collections.abc import Iterator

from mailstack.reconcile.dns.record_set import RecordSet, text_record


def no_mail_records(name: str) -> Iterator[RecordSet]:
    # RFC 7505 §3: a null MX, so that no address record is taken for a mail server.
    yield RecordSet(name=name, type="MX", values=("0 .",))
    # RFC 7208 §10.1.2: a domain that sends nothing says so; RFC 7505 §4.1 asks for the same.
    yield text_record(name, "v=spf1 -all")
    yield text_record(f"_dmarc.{name}", "v=DMARC1; p=reject")
