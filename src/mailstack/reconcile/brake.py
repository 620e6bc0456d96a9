"""The brake: an account or a domain that holds mail is destroyed only where somebody said so by name.

Not what becomes of such mail (the store keeps it in its trash). Who holds mail is asked of the store, by a port.
"""

import shlex
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from mailstack.model.address import domain_key, parse_address
from mailstack.model.errors import Forbidden
from mailstack.model.resource import Kind
from mailstack.reconcile.diff import Step
from mailstack.reconcile.plan import PlanWarning
from mailstack.reconcile.safety import destroyed

NAMED = 20
"""More than these are counted instead of named."""

MailHolders = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Which of these accounts, by login, have any message. Asked only about accounts that would be destroyed."""


async def nobody(_logins: Sequence[str]) -> Collection[str]:
    """For a server whose mail nobody will miss: the sandbox."""
    return ()


def allowed_name(text: str) -> str:
    """An account's or a domain's name as resources have it. Raises Invalid."""
    return parse_address(text).key if "@" in text else domain_key(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """allowed: names of accounts and domains that may go with all their mail."""

    holders: MailHolders
    allowed: Collection[str] = ()

    async def held(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """The names without whose permission nothing may be done; a domain that goes stands for its accounts."""
        going = frozenset(destroyed(steps, Kind.DOMAIN))
        names = {login: _asked_for(login, going) for login in destroyed(steps, Kind.ACCOUNT)}
        asked = [login for login, name in names.items() if name not in self.allowed]
        holders = await self.holders(asked) if asked else ()
        return tuple(sorted({names[login] for login in holders}))


def refuse(held: Sequence[str], spec_path: str) -> None:
    """Raises Forbidden, with the command that would go through."""
    if not held:
        return
    them = "it" if len(held) == 1 else "them"
    options = " ".join(f"--allow-destroy {shlex.quote(name)}" for name in held[:NAMED])
    raise Forbidden(
        f"nothing was changed: this would destroy {_named(held)}, with the mail in {them};"
        f" if that is meant: mailstack apply {options}{_more(held)} {shlex.quote(spec_path)}"
    )


def brake_warnings(held: Sequence[str]) -> tuple[PlanWarning, ...]:
    text = "is to be destroyed and holds mail: apply stops without --allow-destroy {0}"
    return tuple(PlanWarning(subject=name, text=text.format(shlex.quote(name))) for name in held[:NAMED])


def _asked_for(login: str, going: Collection[str]) -> str:
    domain = login.rpartition("@")[2]
    return domain if domain in going else login


def _named(held: Sequence[str]) -> str:
    return f"{', '.join(held[:NAMED])}{_more(held)}"


def _more(held: Sequence[str]) -> str:
    return f" … and {len(held) - NAMED} more" if len(held) > NAMED else ""
