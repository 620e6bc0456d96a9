"""`mailstack explain`: why a mail would be taken or refused. No server, nothing written, sent or counted."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import (
    faults_reported,
    format_option,
    loaded_spec,
    storage_of,
    store_to_read,
)
from mailstack.cli.screen import EXIT_ERROR, EXIT_FAULTS, fail, print_json
from mailstack.model.errors import Invalid

if TYPE_CHECKING:
    from mailstack.app.explain.envelope import Addressed, Given
    from mailstack.app.explain.explanation import Explanation
    from mailstack.net.resolver import DnsResolver
    from mailstack.net.zone_resolver import ZoneResolver
    from mailstack.ports.resolver import Resolver
    from mailstack.spec.load import LoadedSpec

STANDARD_INPUT = "-"
HELP = """Show what the server of SPEC would make of the mail in FILE, stage by stage, and why.

FILE is a mail as a program saves it (.eml), or - for standard input. It is handed to the code that serves mail, over a
directory and mailboxes of its own: nothing is written, sent or counted, and no server has to run. DNS is asked as the
spec says, or as --dns and --resolver do. docs/explain.md tells what each line means.

What is not given is taken from the mail, and the output says so: --from and --helo from our own Received field on top,
--mail-from from Return-Path or else From, --rcpt from Delivered-To, X-Original-To, or To and Cc.

\b
Examples:
  mailstack explain mailstack.yaml mail.eml --from 203.0.113.9 --helo mx.sender.example
  mailstack explain mailstack.yaml mail.eml --from 203.0.113.9 --mail-from x@sender.example --rcpt alice@example.com
  mailstack explain mailstack.yaml mail.eml --from 203.0.113.9 --dns sender.zone
  mailstack explain mailstack.yaml - --from 203.0.113.9 --format json < mail.eml | jq .verdict

\b
Exit status: 0 it would be taken for every recipient, 1 it would be refused or put off, for one recipient at least,
2 it cannot be explained: the spec has faults, or something is missing.
"""


class Checked(click.ParamType["str"]):
    """A text that the spec has as well. parse: raises ValueError."""

    def __init__(self, name: str, parse: Callable[[str], str]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return self._parse(str(value))
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


# The spec's models are imported once there is something to parse.


def _ip(text: str) -> str:
    from mailstack.spec.values import parse_ip

    return parse_ip(text)


def _helo(text: str) -> str:
    from mailstack.spec.sections.tests import parse_helo

    return parse_helo(text)


def _path(text: str) -> str:
    from mailstack.spec.sections.tests import parse_path

    return parse_path(text)


def _reverse_path(text: str) -> str:
    from mailstack.spec.sections.tests import parse_reverse_path

    return parse_reverse_path(text)


def resolver_address(text: str) -> str:
    from mailstack.spec.values import parse_resolver

    return parse_resolver(text)


@click.command("explain", help=HELP, short_help="Show why a mail would be taken or refused.")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--from", "peer", type=Checked("address", _ip), help="Whose address the connection comes from.")
@click.option("--helo", type=Checked("name", _helo), help="What the client calls itself.")
@click.option("--mail-from", type=Checked("address", _reverse_path), help="The sender of the envelope; <> of bounces.")
@click.option(
    "--rcpt",
    "recipients",
    type=Checked("address", _path),
    multiple=True,
    help="A recipient of the envelope; may be repeated.",
)
@click.option(
    "--dns",
    "zone_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="DNS is what this master file says (RFC 1035 §5), and nobody is asked.",
)
@click.option(
    "--resolver", type=Checked("host:port", resolver_address), help="Ask this resolver instead of those of the spec."
)
@click.option("--again", is_flag=True, help="As if it was asked to come again, and does: no greylisting.")
@click.option("--live", is_flag=True, help="Look at bans, greylist and warm-ups of the server here, by its storage.")
@click.option("--verbose", "-v", is_flag=True, help="Show each question to DNS, with its answer.")
@format_option
def command(
    spec: Path,
    file: Path,
    peer: str | None,
    helo: str | None,
    mail_from: str | None,
    recipients: tuple[str, ...],
    zone_file: Path | None,
    resolver: str | None,
    again: bool,
    live: bool,
    verbose: bool,
    form: str,
) -> None:
    from mailstack.app.explain.envelope import Given
    from mailstack.app.log import configure_log

    if zone_file is not None and resolver is not None:
        raise click.UsageError("--dns and --resolver exclude each other")
    # What a server would log is what is explained.
    configure_log("auto", "critical")
    loaded = loaded_spec(spec, form)
    to, content = _addressed(loaded, file, Given(peer=peer, helo=helo, mail_from=mail_from, recipients=recipients))
    asked = resolver_of(loaded, zone_file, resolver)
    with faults_reported(form):
        found = asyncio.run(_explained(loaded, to, content, asked, again=again, live=live))
    _show(found, form, verbose=verbose)
    if found.verdict != "accepted":
        raise click.exceptions.Exit(EXIT_ERROR)


def _addressed(loaded: "LoadedSpec", file: Path, given: "Given") -> "tuple[Addressed, bytes]":
    from mailstack.app.explain.envelope import addressed, as_mail

    spec = loaded.spec
    try:
        content, notes = as_mail(_read(file))
        to = addressed(content, given, hostname=spec.server.hostname, domains=spec.domains.keys(), notes=notes)
    except Invalid as fault:
        fail(f"{file}: {fault.detail}", code=EXIT_FAULTS)
    return to, content


async def _explained(
    loaded: "LoadedSpec", to: "Addressed", content: bytes, resolver: "Resolver", *, again: bool, live: bool
) -> "Explanation":
    from mailstack.app.build import experience_in
    from mailstack.app.clock import system_clock
    from mailstack.app.explain.run import Circumstances, Known, explain
    from mailstack.app.spam_school import learned_in
    from mailstack.app.spec_tests.bed import make_bed
    from mailstack.app.stores import is_made

    bed = await make_bed(loaded)
    around = Circumstances(resolver=resolver, clock=system_clock, again=again)
    if not live:
        return await explain(bed, to, content, around)
    storage = storage_of(loaded)
    if not is_made(storage):
        fail(f"{storage}: no server has been here; without --live none is needed", code=EXIT_FAULTS)
    async with store_to_read(storage) as store:
        if store is not None:
            bans = await store.bans.in_force(now=await store.now())
            known = Known(
                bans=bans,
                greylist=store.greylist,
                warm_days=store.warm_days,
                accounts=store.accounts,
                mailboxes=store.mailboxes,
                scripts=store.scripts,
                sieve_memory=store.sieve_memory,
                models=await learned_in(store),
                experience=await experience_in(store),
            )
            around = replace(around, known=known)
        return await explain(bed, to, content, around)


def resolver_of(loaded: "LoadedSpec", zone_file: Path | None, resolver: str | None) -> "DnsResolver | ZoneResolver":
    """By what was asked for on the command line, else as the spec says."""
    from mailstack.app.clock import system_clock
    from mailstack.net.resolver import DnsResolver
    from mailstack.net.zone_resolver import ZoneResolver

    try:
        if zone_file is not None:
            return ZoneResolver(_read(zone_file).decode(), name=str(zone_file))
        named = loaded.spec.dns.resolvers if resolver is None else (resolver,)
        return DnsResolver(clock=system_clock, nameservers=named)
    except UnicodeDecodeError:
        fail(f"{zone_file}: no master file of DNS: it is not UTF-8", code=EXIT_FAULTS)
    except Invalid as fault:
        fail(fault.detail, code=EXIT_FAULTS)


def _read(file: Path) -> bytes:
    from mailstack.app.spec_tests.letter import MAX_FILE_BYTES, why_unreadable

    if str(file) != STANDARD_INPUT:
        if reason := why_unreadable(file):
            fail(reason, code=EXIT_FAULTS)
        return file.read_bytes()
    content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        fail(f"standard input is over {MAX_FILE_BYTES >> 20} MiB", code=EXIT_FAULTS)
    return content


def _show(found: "Explanation", form: str, *, verbose: bool) -> None:
    if form == "json":
        import dataclasses

        print_json(dataclasses.asdict(found))
        return
    from mailstack.cli.explanation import lines_of

    for line in lines_of(found, verbose=verbose):
        click.echo(line)
