"""What the scripts of one account came to for one mail. Values; carried out by carry_out, when the mail is stored."""

from dataclasses import dataclass

from mailstack.model.log_events import plain
from mailstack.services.inbound.filter.shelf import Origin
from mailstack.sieve.actions import Action, FileInto, Keep, Redirect, Reject
from mailstack.sieve.run import Traced


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One script that ran. origin: whose it is, for people. fault: why it ended early, "" for a good end."""

    name: str
    origin: Origin
    fault: str = ""
    content: bytes = b""
    actions: tuple[Action, ...] = ()
    trace: tuple[Traced, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """actions: of all scripts that ran, in their order; of Keep there is one at most."""

    actions: tuple[Action, ...]
    ran: tuple[Ran, ...] = ()

    @property
    def octets(self) -> int:
        """What it holds in memory: mail that scripts have edited."""
        edited = (action.raw for action in self.actions if isinstance(action, Keep | FileInto | Redirect))
        return sum(len(raw) for raw in edited if raw is not None)

    @property
    def words(self) -> list[str]:
        """What is done, for the log."""
        return [_told(action) for action in self.actions]

    @property
    def scripts(self) -> list[str]:
        """Those that wanted something, for the log."""
        return [plain(f"{ran.origin.value}/{ran.name}") for ran in self.ran if ran.actions]

    @property
    def refusal(self) -> Reject | None:
        """None as well where something is done with the mail besides."""
        found = next((action for action in self.actions if isinstance(action, Reject)), None)
        is_used = any(isinstance(action, Keep | FileInto | Redirect) for action in self.actions)
        return None if is_used else found


def _told(action: Action) -> str:
    """The names are a script's, which may have taken them from the mail."""
    match action:
        case FileInto(mailbox=mailbox):
            return plain(f"fileinto {mailbox}")
        case Redirect(address=address, list_name=name):
            return plain(f"redirect {address or name}")
        case _:
            return type(action).__name__.lower()
