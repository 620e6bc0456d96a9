"""`mailstack test`: proves what the tests of a spec promise. No server, no network, no secrets, nothing written."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.reconciling import faults_reported
from mailstack.cli.screen import EXIT_ERROR, fail, print_json

if TYPE_CHECKING:
    from mailstack.app.spec_tests.result import Result
    from mailstack.app.spec_tests.run import Case
    from mailstack.spec.load import LoadedSpec

HELP = """Run the tests of SPEC: mails and DNS records, and what must come of them.

Each mail goes through the code that serves mail, from EHLO to the mailbox or the queue, over a store in memory that is
empty again for the next test. Records are those that `apply` would publish. Passwords, keys and certificates are not
needed: stand-ins take their places. docs/testing.md explains all that a test can say.

\b
Examples:
  mailstack test mailstack.yaml
  mailstack test mailstack.yaml -k sales                   # those with "sales" in their names
  mailstack test mailstack.yaml --format junit --out report.xml
  mailstack test mailstack.yaml --format tap
  mailstack test mailstack.yaml --list

\b
Exit status: 0 all tests passed, 1 some did not (or there are none), 2 the spec has faults.
"""


@click.command("test", help=HELP, short_help="Run the tests of a spec.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("-k", "--filter", "text", default="", help="Only tests whose names hold this, in any case of letters.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["pretty", "tap", "junit", "json"]),
    default="pretty",
    show_default=True,
    help="pretty: for people; tap: TAP 14; junit: XML for CI systems; json: for programs.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report into this file; the screen shows the results for people.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first test that does not pass.")
@click.option("--list", "only_list", is_flag=True, help="Name the tests and run none.")
@click.option("--durations", is_flag=True, help="Show how long each test took, and the slowest at the end.")
def command(
    spec: Path, text: str, form: str, out: Path | None, fail_fast: bool, only_list: bool, durations: bool
) -> None:
    from mailstack.app.log import configure_log
    from mailstack.app.spec_tests.run import cases_of
    from mailstack.spec.load import load_spec

    if out is not None and form == "pretty":
        raise click.UsageError("--out needs a report's format: --format tap, junit or json")
    # What the server would log of mails that tests refuse on purpose is in the story of each test.
    configure_log("auto", "critical")
    began = time.perf_counter()
    with faults_reported(form):
        loaded = load_spec(spec)
        cases = cases_of(loaded, text)
    if not cases:
        fail(f"no test of {spec} has {text!r} in its name" if text else f"{spec} has no tests (docs/testing.md)")
    if only_list:
        _list(cases, form)
        return
    is_shown = form == "pretty" or out is not None
    with faults_reported(form):
        results = asyncio.run(_run(loaded, cases, fail_fast=fail_fast, is_shown=is_shown, durations=durations))
    if is_shown:
        _show_end(results, len(cases), durations=durations, duration_s=time.perf_counter() - began)
    if form != "pretty":
        _report(results, form, spec, out)
    if any(result.outcome != "passed" for result in results):
        raise click.exceptions.Exit(EXIT_ERROR)


async def _run(
    loaded: "LoadedSpec", cases: Sequence["Case"], *, fail_fast: bool, is_shown: bool, durations: bool
) -> list["Result"]:
    from mailstack.app.spec_tests.run import run
    from mailstack.cli.results import lines_of

    results: list[Result] = []
    async with aclosing(run(loaded, cases, time.perf_counter)) as running:
        async for result in running:
            results.append(result)
            for line in lines_of(result, with_time=durations) if is_shown else ():
                click.echo(line)
            if fail_fast and result.outcome != "passed":
                break
    return results


def _show_end(results: Sequence["Result"], wanted: int, *, durations: bool, duration_s: float) -> None:
    from mailstack.cli.results import slowest, summary

    for line in slowest(results) if durations else ():
        click.echo(line)
    click.echo(summary(results, left=wanted - len(results), duration_s=duration_s))


def _list(cases: Sequence["Case"], form: str) -> None:
    if form == "json":
        print_json([{"name": case.test.name, "file": case.place.file, "line": case.place.line} for case in cases])
        return
    for case in cases:
        click.echo(f"{case.test.name}  {click.style(str(case.place), dim=True)}")


def _report(results: Sequence["Result"], form: str, spec: Path, out: Path | None) -> None:
    text = _text(results, form, str(spec))
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _text(results: Sequence["Result"], form: str, spec_name: str) -> str:
    import json

    from mailstack.app.spec_tests.document import document
    from mailstack.app.spec_tests.junit import junit
    from mailstack.app.spec_tests.tap import tap

    match form:
        case "tap":
            return tap(results)
        case "junit":
            return junit(results, spec_name)
    return json.dumps(document(results, spec_name), indent=2, ensure_ascii=False) + "\n"
