"""What `mailstack suppress` says of addresses: which are meant, the values that JSON shows, and lines for people."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import click

from mailstack.cli.account_facts import Facts, told, when_text
from mailstack.cli.screen import counted

if TYPE_CHECKING:
    from mailstack.model.bad_address import BadAddress, BadAddressFilter
    from mailstack.model.instant import Instant
    from mailstack.ports.store import Store

PAGE = 1_000
SUPPRESSED, COUNTED, OFF, OVER = "suppressed", "counted", "off", "over"
COLOURS = {SUPPRESSED: "red", COUNTED: "yellow", OFF: "bright_black", OVER: "bright_black"}


class Options(TypedDict, total=False):
    """What says which addresses are meant; everything: all of them."""

    addresses: tuple[str, ...]
    like: str
    domain: str
    reply: str
    by: str | None
    everything: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an entry means now. has_rule: the spec that was applied lets refusals count."""

    now: "Instant"
    has_rule: bool

    def status(self, bad: "BadAddress") -> str:
        if bad.is_over(self.now):
            return OVER
        if not bad.by and not self.has_rule:
            return OFF
        return SUPPRESSED if bad.is_suppressed else COUNTED


def filter_of(options: Options) -> "BadAddressFilter":
    from mailstack.model.bad_address import BadAddressFilter

    by = options.get("by")
    return BadAddressFilter(
        addresses=frozenset(options.get("addresses", ())),
        pattern=options.get("like", ""),
        domain=options.get("domain", ""),
        reply=options.get("reply", ""),
        is_by_hand=None if by is None else by == "hand",
    )


async def reading_of(store: "Store") -> Reading:
    from mailstack.app.blueprint import read_blueprint
    from mailstack.app.routing import sending_of, suppress_rule_of

    rule = suppress_rule_of(sending_of(await read_blueprint(store.state)))
    return Reading(now=await store.now(), has_rule=rule is not None)


async def entries(store: "Store", wanted: "BadAddressFilter") -> "AsyncIterator[BadAddress]":
    """By address, a page in memory at a time."""
    after = ""
    while page := await store.bad_addresses.page(after=after, limit=PAGE):
        for bad in filter(wanted.takes, page):
            yield bad
        after = page[-1].address


async def why_suppressed(store: "Store", recipient: str) -> str | None:
    """recipient: a path of the queue. None: it may be tried."""
    from mailstack.model.errors import Invalid
    from mailstack.services.outbound.sender import forward_address

    try:
        address = forward_address(recipient)
    except Invalid:
        return None
    is_ours = not address.domain or await store.accounts.domain(address.domain) is not None
    bad = None if is_ours else await store.bad_addresses.find(address.key)
    if bad is None or (await reading_of(store)).status(bad) != SUPPRESSED:
        return None
    return f"{_until(when_text(bad.ends_at))}: {bad.reply}"


def facts_of(bad: "BadAddress", reading: Reading) -> Facts:
    return {
        "address": bad.address,
        "status": reading.status(bad),
        "until": when_text(bad.ends_at),
        "refusals": bad.refusals,
        "since": when_text(bad.since),
        "last_at": when_text(bad.last_at),
        "reply": None if bad.by else bad.reply,
        "reason": bad.reply if bad.by else None,
        "by": bad.by or None,
    }


async def print_streamed(found: "AsyncIterator[Facts]") -> None:
    """One JSON array, an address a line, however many there are."""
    opening = "[\n"
    async for facts in found:
        click.echo(opening + json.dumps(facts, ensure_ascii=False), nl=False)
        opening = ",\n"
    click.echo("[]" if opening == "[\n" else "\n]")


def print_facts(facts: Facts) -> None:
    """Two lines: who until when, and below it why."""
    until = _until(facts["until"])
    status = click.style(f"{facts['status']:10}", fg=COLOURS[facts["status"]])
    click.echo(f"{status} {until:26} {click.style(told('address', facts['address']), bold=True)}")
    if facts["by"] is not None:
        why = f"by {told('by', facts['by'])} on {facts['since']}: {told('reason', facts['reason'])}"
    else:
        refused = f"{counted(facts['refusals'], 'refusal')} since {facts['since']}, last {facts['last_at']}"
        why = f"{refused}: {told('reply', facts['reply'])}"
    click.echo(click.style(f"{'':10} {why}", dim=True))


def _until(moment: str | None) -> str:
    return "for ever" if moment is None else f"until {moment}"
