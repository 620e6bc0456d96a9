"""`mailstack spam score`: what a mail in a file scores, and why."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import account_at
from mailstack.cli.mail_file import read_mail
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import format_option, loaded_spec, sandbox_at, storage_of, store_to_read
from mailstack.cli.screen import EXIT_FAULTS, fail, print_json

if TYPE_CHECKING:
    from mailstack.app.spam_trial import Trial
    from mailstack.model.spam import Judged
    from mailstack.spec.load import LoadedSpec

TOKENS = 10


@click.command("score", short_help="Show what a mail scores, and why.")
@click.argument("files", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), nargs=-1, required=True)
@click.option(
    "--spec", type=click.Path(path_type=Path, dir_okay=False), help="Whose rules, thresholds and models count."
)
@click.option("--account", "address", help="For this account: with what it taught, and its own thresholds.")
@click.option(
    "--tokens", type=click.IntRange(0, 1_000), default=TOKENS, show_default=True, help="Of the models, to show."
)
@state_option
@format_option
def score(
    files: tuple[Path, ...], spec: Path | None, address: str | None, tokens: int, state: Path | None, form: str
) -> None:
    """Show what the mail in FILE (or - for standard input) scores: each rule that it meets with its points, the tokens
    that the models go by, and what would be done with it. No list in DNS is asked, and no other engine.

    Without --spec, only the rules that every server has count, for nothing was learned. A mail that this server took in
    is judged by what it found then of who brought it; of any other, nothing is known of that.

    \b
    Examples:
      mailstack spam score mail.eml
      mailstack spam score mail.eml --spec mailstack.yaml --account alice@example.com
      mailstack spam score --spec mailstack.yaml --format json - < mail.eml | jq '.[].points'

    \b
    Exit status: 0 whatever it scores, 1 error, 2 a file or the spec cannot be read.
    """
    if spec is None and address is not None:
        fail("--account needs --spec: accounts and what they taught are there", code=EXIT_FAULTS)
    if spec is None and state is not None:
        fail("--state needs --spec: rules and thresholds are there", code=EXIT_FAULTS)
    loaded = None if spec is None else loaded_spec(spec, form)
    mails = [(file, read_mail(file)) for file in files]
    found = asyncio.run(_scored(loaded, state, [raw for _, raw in mails], address, tokens))
    if form == "json":
        print_json([_document(file, trial) for (file, _), trial in zip(mails, found, strict=True)])
        return
    for (file, _), trial in zip(mails, found, strict=True):
        _show(file, trial, is_taught=loaded is not None)


async def _scored(
    loaded: "LoadedSpec | None", state: Path | None, raws: Sequence[bytes], address: str | None, tokens: int
) -> "list[Trial]":
    from mailstack.app.clock import system_clock
    from mailstack.app.spam_trial import bench_of
    from mailstack.app.spec_tests.bed import make_bed
    from mailstack.app.stores import is_made

    if loaded is None:
        bench = await bench_of(None, None, None)
        return [await bench.try_out(raw, most=tokens, now=system_clock()) for raw in raws]
    bed = await make_bed(loaded)
    storage = storage_of(loaded) if state is None else sandbox_at(state)
    if not is_made(storage):
        account = None if address is None else await account_at(bed.accounts, address)
        bench = await bench_of(bed.blueprint, None, account)
        return [await bench.try_out(raw, most=tokens, now=system_clock()) for raw in raws]
    async with store_to_read(storage) as store:
        accounts = bed.accounts if store is None else store.accounts
        account = None if address is None else await account_at(accounts, address)
        bench = await bench_of(bed.blueprint, store, account)
        return [await bench.try_out(raw, most=tokens, now=system_clock()) for raw in raws]


def _document(file: Path, trial: "Trial") -> dict[str, object]:
    from dataclasses import asdict

    score, policy = trial.judged.score, trial.judged.policy
    return {
        "file": str(file),
        "points": score.points,
        "result": _result(trial.judged),
        "junk_at": policy.junk_at,
        "reject_at": policy.reject_at,
        "findings": [asdict(finding) for finding in score.findings],
        "words": {"points": round(trial.words.points, 2), "probability": round(trial.words.score, 4)},
        "tokens": [{"name": reason.name, "points": round(reason.points, 3)} for reason in trial.reasons],
    }


def _result(judged: "Judged") -> str:
    return "refused" if judged.is_refused else "junk" if judged.is_junk else "ham"


def _show(file: Path, trial: "Trial", *, is_taught: bool) -> None:
    score, policy, result = trial.judged.score, trial.judged.policy, _result(trial.judged)
    colour = {"ham": "green", "junk": "yellow", "refused": "red"}[result]
    bounds = [
        f"{word} from {bound:g}" for word, bound in (("junk", policy.junk_at), ("refused", policy.reject_at)) if bound
    ]
    said = click.style(f"{score.points:.1f} {result}", fg=colour, bold=True)
    click.echo(f"{file}: {said} ({', '.join(bounds) or 'never junk'})")
    for finding in score.findings:
        click.echo(f"  {finding.points:+5.1f}  {finding.rule}{f': {_plain(finding.why)}' if finding.why else ''}")
    if not trial.reasons:
        unknown = "the models know none of its words" if is_taught else "no words were asked about: that needs --spec"
        click.echo(f"  {click.style(unknown, dim=True)}")
        return
    click.echo(f"  tokens that the models go by, which say {trial.words.points:+.1f} together with all others:")
    for reason in trial.reasons:
        click.echo(f"  {reason.points:+6.2f}  {_plain(reason.name)}")


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
