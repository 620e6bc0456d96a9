"""`mailstack spam`: what the filter makes of a mail and why, and what it was taught."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailstack.cli.account_facts import account_at
from mailstack.cli.place import state_option
from mailstack.cli.reconciling import (
    format_option,
    loaded_spec,
    require_applied,
    sandbox_at,
    storage_of,
    store_to_read,
    store_to_write,
)
from mailstack.cli.screen import EXIT_FAULTS, counted, fail, print_json
from mailstack.cli.spam_score import score

if TYPE_CHECKING:
    from mailstack.app.spam_school import Facts
    from mailstack.app.store_address import StoreAddress
    from mailstack.model.message import RawMessage
    from mailstack.services.spam.school import Example, Grade
    from mailstack.services.spam.tokens import Token

SPEC = "mailstack.yaml"
FEW = 20
"""Of either kind: docs/spam.md has how much a model is believed that has seen so many."""
RECENT = 200
SHOWN_SKIPPED = 5

spec_argument = click.argument(
    "spec", type=click.Path(path_type=Path, dir_okay=False), required=False, default=Path(SPEC)
)
account_option = click.option("--account", "address", help="The model of this account, instead of the shared one.")


@click.group(
    "spam",
    help=f"""Show why a mail is taken for spam, and teach the filter. SPEC names the storage; without one it is {SPEC}
    here.

\b
Examples:
  mailstack spam score mail.eml
  mailstack spam train mailstack.yaml --ham ~/Maildir --spam ~/Maildir/.Junk
  mailstack spam stats mailstack.yaml
  mailstack spam top-tokens mailstack.yaml --account alice@example.com
  mailstack spam forget mailstack.yaml --account alice@example.com
""",
    short_help="Score a mail; train the filter, and show or forget what it learned.",
)
def command() -> None:
    pass


command.add_command(score)


@command.command("train", short_help="Teach mail of which you know what it is.")
@spec_argument
@click.option(
    "--ham",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="A Maildir, an mbox, a folder of messages or one of them; may be repeated. Folders in it count too, but for"
    " those that are named themselves.",
)
@click.option("--spam", type=click.Path(path_type=Path, exists=True), multiple=True, help="Likewise, of spam.")
@account_option
@state_option
@format_option
def train(
    spec: Path, ham: tuple[Path, ...], spam: tuple[Path, ...], address: str | None, state: Path | None, form: str
) -> None:
    """Teach the filter mail of which you know what it is: hundreds of each kind, and of the last year rather than
    older. It is added to what is known; mail that is taught twice counts twice, so begin anew with `forget`.

    A tenth is held back at first, and judged by what the rest taught: that is shown, and then it is learned too. The
    server may run: what is learned counts a moment later.

    \b
    Examples:
      mailstack spam train mailstack.yaml --ham ~/Maildir --spam ~/Maildir/.Junk
      mailstack spam train mailstack.yaml --ham ham.mbox --spam spam-2025/ --spam spam-2026/
      mailstack spam train mailstack.yaml --account alice@example.com --ham hers/ --spam junk/

    \b
    Exit status: 0 learned, 1 error, 2 nothing to learn from, or one kind only.
    """
    from mailstack.app.spam_school import Lot, examples_in

    storage, hostname = _named(spec, form, state)
    require_applied(storage)
    if not ham or not spam:
        missing = "--spam" if ham else "--ham" if spam else "--ham and --spam"
        fail(f"{missing} DIR: who sees one kind only cannot tell the two apart", code=EXIT_FAULTS)
    for path in ham:
        if any(path.resolve() == other.resolve() for other in spam):
            fail(f"{path} is named as ham and as spam: which is it?", code=EXIT_FAULTS)
    skipped: list[tuple[Path, str]] = []
    with _progress("read") as read:
        examples = examples_in(
            (Lot(paths=ham, is_spam=False), Lot(paths=spam, is_spam=True)),
            hostname,
            skip=lambda path, why: skipped.append((path, why)),
            tell=lambda count: read(count, count),
        )
    _tell_skipped(skipped)
    spam_count = sum(one.is_spam for one in examples)
    for count, paths in ((len(examples) - spam_count, ham), (spam_count, spam)):
        if not count:
            fail(f"there is no mail in {', '.join(map(str, paths))}; nothing was learned", code=EXIT_FAULTS)
    grade = asyncio.run(_train(storage, examples, address))
    _show_trained(len(examples) - spam_count, spam_count, grade, form)


async def _train(storage: "StoreAddress", examples: "list[Example]", address: str | None) -> "Grade":
    from mailstack.app.spam_school import train

    async with store_to_write(storage) as store:
        account = None if address is None else await account_at(store.accounts, address)
        with _progress("learn") as learn:
            return await train(store, examples, account, progress=learn)


def _show_trained(ham: int, spam: int, grade: "Grade", form: str) -> None:
    if form == "json":
        from dataclasses import asdict

        print_json({"ham": ham, "spam": spam, "held_back": asdict(grade)})
        return
    click.echo(f"{click.style('learned', fg='green')} {ham} ham and {spam} spam")
    if grade.ham and grade.spam:
        click.echo(
            f"of the tenth that was held back: {grade.caught} of {grade.spam} spam found,"
            f" {grade.wrong} of {grade.ham} ham taken for spam"
        )
    if min(ham, spam) < FEW:
        few = "ham" if ham < spam else "spam"
        click.echo(f"that is little {few}: with fewer than {FEW} of either kind the model is not believed by half")


@command.command("stats", short_help="Show how much the filter has learned.")
@spec_argument
@state_option
@format_option
def stats(spec: Path, state: Path | None, form: str) -> None:
    """Show how much ham and spam the shared model and those of accounts have learned, and how many lessons wait.

    \b
    Examples:
      mailstack spam stats mailstack.yaml
      mailstack spam stats mailstack.yaml --format json | jq '.shared.spam'
    """
    storage, _ = _named(spec, form, state)
    require_applied(storage)
    found = asyncio.run(_stats(storage))
    if form == "json":
        print_json(found)
        return
    from mailstack.cli.account_facts import show_table

    shared = found["shared"]
    click.echo(
        f"shared model: {shared['ham']} ham and {shared['spam']} spam learned, believed by {shared['believed']:.0%}"
    )
    if not shared["ham"] + shared["spam"]:
        click.echo("it begins empty: `mailstack spam train` teaches it, and so do administrators who move mail to Junk")
    if found["waiting"]:
        click.echo(f"{counted(found['waiting'], 'lesson')} of people waiting to be learned")
    show_table("accounts that taught theirs", ("login", "ham", "spam"), found["accounts"])


async def _stats(storage: "StoreAddress") -> "Facts":
    from mailstack.app.spam_school import stats

    async with store_to_read(storage) as store:
        return {} if store is None else await stats(store)


@command.command("top-tokens", short_help="Show what speaks most for spam, and for ham.")
@spec_argument
@click.argument("files", type=click.Path(path_type=Path, exists=True), nargs=-1)
@account_option
@click.option("--most", type=click.IntRange(1, 1_000), default=20, show_default=True, help="Tokens of each kind.")
@state_option
@format_option
def top_tokens(
    spec: Path, files: tuple[Path, ...], address: str | None, most: int, state: Path | None, form: str
) -> None:
    """Show which words and facts speak most for spam and for ham, by what was learned.

    The models know tokens by numbers only, so that nobody's mail can be read out of them. The names are those in the
    mail that you give: files and folders as for `train`, or else the newest mail in the inbox and the Junk of
    --account, with whose model it is judged then, too.

    \b
    Examples:
      mailstack spam top-tokens mailstack.yaml corpus/
      mailstack spam top-tokens mailstack.yaml --account alice@example.com --most 50
    """
    if not files and address is None:
        fail("name files, or --account: the models know numbers only, and names come of mail", code=EXIT_FAULTS)
    storage, hostname = _named(spec, form, state)
    require_applied(storage)
    for_spam, for_ham = asyncio.run(_top_tokens(storage, files, address, hostname, most))
    if form == "json":
        from dataclasses import asdict

        print_json({"spam": [asdict(one) for one in for_spam], "ham": [asdict(one) for one in for_ham]})
        return
    from mailstack.cli.account_facts import show_table

    for title, tokens in (("for spam", for_spam), ("for ham", for_ham)):
        rows = [
            {"token": one.name, "points in a mail": f"{one.points / one.mails:+.2f}", "mails": one.mails}
            for one in tokens
        ]
        show_table(title, ("token", "points in a mail", "mails"), rows)


async def _top_tokens(
    storage: "StoreAddress", files: tuple[Path, ...], address: str | None, hostname: str, most: int
) -> "tuple[list[Token], list[Token]]":
    from mailstack.app.mail_files import mails_in
    from mailstack.app.spam_school import models_of, recent_mail
    from mailstack.services.spam.sender import sender_in
    from mailstack.services.spam.tokens import top_tokens
    from mailstack.spam.features import features_of

    async with store_to_read(storage) as store:
        if store is None:
            return [], []
        account = None if address is None else await account_at(store.accounts, address)
        raws: Iterator[RawMessage] = (raw for path in files for raw in mails_in(path, lambda _path, _why: None))
        if account is not None and not files:
            raws = iter(await recent_mail(store, account, most=RECENT))
        models = await models_of(store, account)
        for_spam, for_ham = top_tokens((features_of(raw, sender_in(raw, hostname)) for raw in raws), models, most=most)
        return list(for_spam), list(for_ham)


@command.command("forget", short_help="Forget what was learned.")
@spec_argument
@account_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@state_option
def forget(spec: Path, address: str | None, yes: bool, state: Path | None) -> None:
    """Forget all that the shared model has learned; or with --account, what that one has, with the lessons of its user.
    It cannot be had back.

    \b
    Examples:
      mailstack spam forget mailstack.yaml --account alice@example.com
      mailstack spam forget mailstack.yaml --yes
    """
    storage, _ = _named(spec, "text", state)
    require_applied(storage)
    whose = "the shared model" if address is None else f"the model of {address}"
    if not yes:
        click.confirm(f"Forget all that {whose} has learned?", abort=True, err=True)
    asyncio.run(_forget(storage, address))
    click.echo(f"{click.style('forgotten', fg='green')}: {whose} begins anew")


async def _forget(storage: "StoreAddress", address: str | None) -> None:
    from mailstack.app.spam_school import forget

    async with store_to_write(storage) as store:
        await forget(store, None if address is None else await account_at(store.accounts, address))


def _named(spec: Path, form: str, state: Path | None) -> "tuple[StoreAddress, str]":
    """The storage, and the server's own name."""
    if spec == Path(SPEC) and not spec.exists():
        fail(f"name the spec: there is no {SPEC} in this folder", code=EXIT_FAULTS)
    loaded = loaded_spec(spec, form)
    storage = storage_of(loaded) if state is None else sandbox_at(state)
    return storage, loaded.spec.server.hostname


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    with click.progressbar(length=0, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def tell(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield tell


def _tell_skipped(skipped: list[tuple[Path, str]]) -> None:
    for path, why in skipped[:SHOWN_SKIPPED]:
        click.echo(f"{click.style('skipped', fg='yellow')} {path}: {why}", err=True)
    if len(skipped) > SHOWN_SKIPPED:
        click.echo(f"skipped {len(skipped) - SHOWN_SKIPPED} more", err=True)
