"""Records and what DNS shows of them, as tables, as lines of a zone file and as JSON."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

import click

from mailstack.cli.screen import console

if TYPE_CHECKING:
    from mailstack.reconcile.dns.check import Finding
    from mailstack.reconcile.dns.survey import Survey
    from mailstack.reconcile.dns.zones import PlacedRecord
    from mailstack.spec.model import Spec

_COLOURS = {"present": "green", "missing": "red", "differs": "red", "unknown": "yellow"}


class RecordDocument(TypedDict):
    """zone: "" for none of the spec's. published_by: a name of dns.providers, or by hand and why."""

    zone: str
    published_by: str
    name: str
    type: str
    ttl_s: int
    values: list[str]


class ServerDocument(TypedDict):
    server: str
    standing: str
    told: str


class FindingDocument(TypedDict):
    zone: str
    name: str
    type: str
    values: list[str]
    standing: str
    told: str
    servers: list[ServerDocument]


class RemarkDocument(TypedDict):
    """is_good: null where nothing could be learned."""

    subject: str
    text: str
    is_good: bool | None


class CheckDocument(TypedDict):
    records: list[FindingDocument]
    remarks: list[RemarkDocument]


def within(records: "Sequence[PlacedRecord]", domains: Sequence[str]) -> "tuple[PlacedRecord, ...]":
    """Those whose names are in one of the domains; all of them where none is named. Raises NotFound for a domain
    without any: a slip of the pen must not look like one that is well."""
    from mailstack.model.address import domain_key
    from mailstack.model.errors import NotFound

    found: dict[PlacedRecord, None] = {}
    for domain in domains:
        key = domain_key(domain)
        held = [item for item in records if item.record.name == key or item.record.name.endswith(f".{key}")]
        if not held:
            raise NotFound(f"the spec asks for no record in {domain}")
        found |= dict.fromkeys(held)
    return tuple(item for item in records if item in found) if domains else tuple(records)


def record_document(item: "PlacedRecord", spec: "Spec") -> RecordDocument:
    from mailstack.reconcile.dns.overview import publisher_of

    record = item.record
    return RecordDocument(
        zone=item.zone,
        published_by=publisher_of(item, spec),
        name=record.name,
        type=record.type,
        ttl_s=record.ttl_s,
        values=list(record.values),
    )


def show_records(records: "Sequence[PlacedRecord]", spec: "Spec", *, as_zone_file: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from mailstack.reconcile.dns.overview import publisher_of
    from mailstack.reconcile.dns.record_set import rdata_texts, zone_file_lines

    if as_zone_file:
        for line in zone_file_lines([item.record for item in records]):
            click.echo(line)
        return
    table = Table(title="records of the spec", title_justify="left")
    for column in ("zone", "published", "name", "type", "value"):
        table.add_column(column, overflow="fold")
    for item in records:
        value = "\n".join(rdata_texts(item.record) if item.record.type != "TXT" else item.record.values)
        cells = (item.zone or "(none)", publisher_of(item, spec), item.record.name, item.record.type, value)
        table.add_row(*map(Text, cells))
    console().print(table)


def check_document(found: "Survey") -> CheckDocument:
    return CheckDocument(
        records=[_finding_document(finding) for finding in found.findings],
        remarks=[
            RemarkDocument(subject=remark.subject, text=remark.text, is_good=remark.is_good) for remark in found.remarks
        ],
    )


def show_check(found: "Survey") -> None:
    """What is right in a word, what is wrong with what is there instead."""
    from rich.table import Table
    from rich.text import Text

    from mailstack.reconcile.dns.check import summary
    from mailstack.reconcile.render import printable

    table = Table(title="what DNS shows", title_justify="left")
    for column in ("name", "type", "standing", "where"):
        table.add_column(column, overflow="fold")
    for finding in found.findings:
        standing = Text(finding.standing.value, style=_COLOURS[finding.standing.value] if sys.stdout.isatty() else "")
        table.add_row(Text(finding.record.name), Text(finding.record.type), standing, Text(printable(summary(finding))))
    console().print(table)
    for remark in found.remarks:
        word, colour = {True: ("good", "green"), False: ("wrong", "red"), None: ("unknown", "yellow")}[remark.is_good]
        click.echo(f"{click.style(word, fg=colour)}: {remark.subject}: {printable(remark.text)}")
    _show_end(found)


def _show_end(found: "Survey") -> None:
    right = sum(finding.is_right for finding in found.findings)
    told = f"{right} of {len(found.findings)} record sets are as they should be."
    click.echo(click.style(told, fg="green" if right == len(found.findings) else "yellow", bold=True))


def _finding_document(finding: "Finding") -> FindingDocument:
    from mailstack.reconcile.dns.check import summary

    return FindingDocument(
        zone=finding.zone,
        name=finding.record.name,
        type=finding.record.type,
        values=list(finding.record.values),
        standing=finding.standing.value,
        told=summary(finding),
        servers=[
            ServerDocument(server=each.server, standing=each.standing.value, told=each.told) for each in finding.servers
        ],
    )
