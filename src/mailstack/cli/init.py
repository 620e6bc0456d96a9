"""`mailstack init`: a commented starter spec, from a few questions on a terminal or from flags alone.

What it writes has been loaded and checked before it takes its name, so the first `plan` never meets a fault of ours.
"""

import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from mailstack.cli.screen import fail, print_json
from mailstack.model.address import parse_address
from mailstack.model.errors import DomainError

HELP = """Write a commented starter spec to FILE (default: mailstack.yaml), and the password of its first account.

On a terminal it asks for what no flag says; elsewhere --hostname is needed, and all else has a default.

\b
Examples:
  mailstack init
  mailstack init --hostname mail.example.com --admin alice@example.com
  mailstack init site/mailstack.yaml --hostname mx.example.org --domain example.org --domain example.net \\
      --address 203.0.113.10 --dns-host 203.0.113.53 --storage ./state

Exit status: 0 written, 1 something is wrong or FILE exists already (then --force replaces it).
"""
TEMPLATE = Path(__file__).parent / "templates" / "mailstack.yaml.j2"
PASSWORD_BYTES = 15
TSIG_VARIABLE = "MAILSTACK_TSIG_SECRET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """domains: the first is the main one. dns_host: a name server that takes RFC 2136 updates; "": records by hand."""

    hostname: str
    domains: tuple[str, ...]
    admin: str
    name: str
    addresses: tuple[str, ...]
    storage: str
    dns_host: str


@click.command("init", help=HELP, short_help="Write a starter spec.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("mailstack.yaml"))
@click.option("--hostname", help="The server's own name, as in MX records: mail.example.com.")
@click.option("--domain", "domains", multiple=True, help="A domain to receive mail for. Default: the hostname's.")
@click.option("--admin", help="The first account, an admin. Default: admin at the first domain.")
@click.option("--name", help="Who that is, for people to read.")
@click.option("--address", "addresses", multiple=True, help="A public IP address of the server, for its A or AAAA.")
@click.option("--storage", help="Where mail is kept. Default: /var/lib/mailstack.")
@click.option("--dns-host", help="A name server that takes RFC 2136 updates. Default: records are published by hand.")
@click.option("--force", is_flag=True, help="Replace FILE and the password that an earlier init wrote.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: Path, force: bool, form: str, **given: object) -> None:
    if file.exists() and not force:
        fail(f"{file} exists; --force replaces it")
    answers = _answers(given, may_ask=sys.stdin.isatty() and sys.stdout.isatty() and form == "text")
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    kept = _write(file, answers, password)
    if form == "json":
        print_json({"spec": str(file), "account": answers.admin, "password": password, "password_file": str(kept)})
        return
    click.echo(f"{click.style('written', fg='green')} {file}, and {kept} with the hash of {answers.admin}'s password")
    click.echo(f"password of {answers.admin}: {click.style(password, bold=True)} (it is shown only this once)")
    click.echo(f"next: mailstack sandbox {file}, then mailstack plan {file}")
    if answers.dns_host:
        click.echo(
            f"before plan: put the TSIG key that {answers.dns_host} knows as `mailstack` into the environment variable"
            f" {TSIG_VARIABLE} (sandbox and test do without)"
        )


def _answers(given: dict[str, object], *, may_ask: bool) -> Answers:
    hostname = _checked("hostname", _said(given, "hostname", "The server's own name", "", may_ask=may_ask))
    parent = hostname.partition(".")[2] if hostname.count(".") > 1 else hostname
    domains = _many(given, "domains") or tuple(
        _said(given, "domain", "Domains to receive mail for", parent, may_ask=may_ask).replace(",", " ").split()
    )
    domains = tuple(dict.fromkeys(_checked("domain", domain) for domain in domains)) or (parent,)
    admin = _said(given, "admin", "The first account, an admin", f"admin@{domains[0]}", may_ask=may_ask)
    return Answers(
        hostname=hostname,
        domains=domains,
        admin=_account(admin, domains),
        name=_said(given, "name", "Whose it is (a name, for people to read)", "", may_ask=may_ask),
        addresses=_many(given, "addresses")
        or tuple(
            _said(given, "address", "Public IP addresses of the server", "", may_ask=may_ask).replace(",", " ").split()
        ),
        storage=_said(given, "storage", "Where mail is kept", "/var/lib/mailstack", may_ask=may_ask),
        dns_host=_said(given, "dns_host", "A name server for RFC 2136 updates (empty: by hand)", "", may_ask=may_ask),
    )


def _said(given: dict[str, object], name: str, question: str, default: str, *, may_ask: bool) -> str:
    """What a flag says, or the person, or the default."""
    flag = given.get(name)
    if isinstance(flag, str):
        return flag.strip()
    if may_ask:
        return str(click.prompt(question, default=default or None if name == "hostname" else default)).strip()
    if name == "hostname":
        fail("--hostname is needed where nobody can be asked, such as --hostname mail.example.com")
    return default


def _many(given: dict[str, object], name: str) -> tuple[str, ...]:
    values = given[name]
    return tuple(map(str, values)) if isinstance(values, tuple) else ()


def _checked(what: str, name: str) -> str:
    from mailstack.spec.values import parse_domain

    try:
        return parse_domain(name)
    except ValueError as fault:
        fail(f"{name!r} is no {what}: {fault}")


def _account(text: str, domains: Sequence[str]) -> str:
    try:
        address = parse_address(text)
    except DomainError as fault:
        fail(f"{text!r} is no address: {fault.detail}")
    if address.domain not in domains:
        fail(f"{text} is in none of the domains: {', '.join(domains)}")
    return address.key


def _write(file: Path, answers: Answers, password: str) -> Path:
    """The password's file, then the spec: one that is there names nothing that is missing. Returns the former."""
    from mailstack.services.identity.passwords import HashCost, hash_password
    from mailstack.spec.faults import SpecInvalid
    from mailstack.spec.load import load_spec

    password_file = f"secrets/{_file_name(answers.admin)}.hash"
    kept = file.parent / password_file
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.yaml")
    try:
        draft.write_text(_rendered(file, answers, password_file), encoding="utf-8")
        load_spec(draft)
        _write_private(kept, hash_password(password, cost=HashCost.NORMAL) + "\n")
        draft.replace(file)
    except SpecInvalid as invalid:
        fail("; ".join(f"{fault.path}: {fault.message}" for fault in invalid.faults))
    finally:
        draft.unlink(missing_ok=True)
    return kept


def _rendered(file: Path, answers: Answers, password_file: str) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701  it is YAML
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        file=file.name,
        hostname=answers.hostname,
        domains=answers.domains,
        admin=answers.admin,
        name=answers.name,
        addresses=answers.addresses,
        storage=answers.storage,
        dns_host=answers.dns_host,
        tsig_variable=TSIG_VARIABLE,
        password_file=password_file,
    )


def _file_name(address: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in address.partition("@")[0])


def _write_private(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        os.fchmod(descriptor, 0o600)
        opened.write(text)
