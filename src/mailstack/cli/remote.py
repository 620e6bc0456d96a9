"""`--server`: plan, apply, drift and status on another machine, by its API, shown as if it were this one.

What a spec refers to is read here and sent along; what is done with it is app.api_job's, over there.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from mailstack.cli.screen import fail
from mailstack.model.errors import Unsupported
from mailstack.model.ids import Generation

if TYPE_CHECKING:
    from mailstack.clients.api import ApiClient, ApiFailed
    from mailstack.reconcile.awaiting import CarriedOut
    from mailstack.reconcile.brake import Allowed
    from mailstack.reconcile.drift import Drift
    from mailstack.reconcile.plan import Plan
    from mailstack.reconcile.progress import Event, Progress
    from mailstack.spec.load import LoadedSpec

Reply = TypeVar("Reply")
Command = TypeVar("Command", bound=Callable[..., object])
TOKEN_VARIABLE = "MAILSTACK_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where, and with what. token: a reference."""

    url: str
    token: str
    ca: Path | None


def server_options(command: Command) -> Command:
    """The options that name a server; `chosen_server` makes one value of them."""
    for option in (
        click.option(
            "--ca",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="Certificate authorities to trust, PEM: for a server with a self-signed certificate.",
        ),
        click.option(
            "--token",
            metavar="REFERENCE",
            default=f"env/{TOKEN_VARIABLE}",
            show_default=True,
            help="Where the token is: env/NAME or file/PATH. `mailstack token create` makes one.",
        ),
        click.option(
            "--server", metavar="URL", help="Do it there, by the API of that server: https://mail.example.com."
        ),
    ):
        command = option(command)
    return command


def chosen_server(url: str | None, token: str, ca: Path | None) -> Server | None:
    """None for this machine."""
    return None if url is None else Server(url=url, token=token, ca=ca)


class Afar:
    """Plans and applies one spec on a server. Ends the command with what is wrong, where something is."""

    def __init__(self, server: Server, loaded: "LoadedSpec", *, no_dns: bool, allowed: "Allowed | None" = None) -> None:
        self._server = server
        self._loaded = loaded
        self._request = _request(loaded, no_dns=no_dns, allowed=allowed)

    def plan(self) -> "Plan":
        from mailstack.reconcile.plan_json import plan_of

        with _asking(self._server, self._loaded) as client:
            reply = client.plan(self._request)
            plan = _understood(lambda: plan_of(reply["plan"]), reply)
            return replace(plan, spec_path=str(self._loaded.path), server=client.url)

    def apply(self, plan: "Plan", progress: "Progress", *, overwrite: bool) -> "CarriedOut":
        expected = {"spec_hash": plan.spec_hash, "live_hash": plan.live_hash, "plan_hash": plan.plan_hash}
        with _asking(self._server, self._loaded) as client:
            steps = client.apply({**self._request, "expected": expected, "overwrite": overwrite})
            return _followed(steps, progress)


def state_of(server: Server) -> Mapping[str, Any]:
    with _asking(server) as client:
        return client.state()


def drift_on(server: Server) -> "Drift":
    from mailstack.reconcile.plan_json import drift_of

    with _asking(server) as client:
        reply = client.drift()
        return _understood(lambda: drift_of(reply), reply)


@contextmanager
def _asking(server: Server, loaded: "LoadedSpec | None" = None) -> Iterator["ApiClient"]:
    """loaded: the spec whose faults the server may tell."""
    from mailstack.clients.api import ApiFailed

    client = _client(server)
    try:
        yield client
    except ApiFailed as failed:
        if failed.faults and loaded is not None:
            _raise_faults(failed, loaded)
        fail(str(failed))
    finally:
        client.close()


def _client(server: Server) -> "ApiClient":
    from mailstack.clients.api import ApiClient, ApiFailed
    from mailstack.spec.secrets import SecretMissing, is_reference, resolve

    if not is_reference(server.token):
        # Whatever was typed may be the token itself, so it is not repeated.
        fail("--token takes a reference: env/NAME or file/PATH; a token on the command line is seen by everybody here")
    try:
        token = resolve(server.token, Path())
        return ApiClient(server.url, token, ca=server.ca)
    except SecretMissing as missing:
        fail(f"{missing}; the token for {server.url} is wanted there (--token names another place)")
    except ApiFailed as failed:
        fail(str(failed))


def _request(loaded: "LoadedSpec", *, no_dns: bool, allowed: "Allowed | None") -> dict[str, Any]:
    from mailstack.spec.bundle import bundle_of
    from mailstack.spec.secrets import resolve

    request: dict[str, Any] = {"bundle": bundle_of(loaded, resolve).to_json(), "no_dns": no_dns}
    if allowed is not None:
        request["allow"] = {
            "destroy": list(allowed.destroy),
            "last_admin": allowed.last_admin,
            "many": allowed.many,
            "foreign": allowed.foreign,
        }
    return request


def _followed(steps: Iterator[Mapping[str, Any]], progress: "Progress") -> "CarriedOut":
    from mailstack.reconcile.awaiting import CarriedOut
    from mailstack.reconcile.plan_json import by_hand_of

    last: Mapping[str, Any] = {}
    for last in steps:
        event = _event(last)
        if event is not None:
            progress(event)
    if last.get("step") == "Failed":
        fail(f"{last.get('detail')} (what was told before is done)")
    if last.get("step") != "Applied":
        fail("the server broke off before it had told how it ended; plan again to see what is left")
    return CarriedOut(
        generation=Generation(last["generation"]),
        by_hand=by_hand_of(last["by_hand"]),
        waiting=tuple(last["waiting_for_dns"]),
    )


def _event(step: Mapping[str, Any]) -> "Event | None":
    """None for an event of another version, which nobody here can word."""
    from typing import get_args

    from mailstack.reconcile import progress

    kinds = {kind.__name__: kind for kind in get_args(progress.Event)}
    fields = {name: value for name, value in step.items() if name != "step"}
    try:
        event: Event = kinds[str(step.get("step"))](**fields)
    except (KeyError, TypeError):
        return None
    return event


def _understood(read: Callable[[], Reply], reply: Mapping[str, Any]) -> Reply:
    import mailstack

    try:
        return read()
    except (Unsupported, KeyError) as fault:
        version = reply.get("version", "of another version")
        fail(f"the server runs mailstack {version}, this is {mailstack.__version__}: {fault}")


def _raise_faults(failed: "ApiFailed", loaded: "LoadedSpec") -> NoReturn:
    """Raises SpecInvalid, with files as they are called here."""
    from mailstack.spec.faults import Fault, SpecInvalid

    def local(file: str) -> str:
        return str(loaded.path if file == "main" else loaded.path.parent / file)

    raise SpecInvalid(
        Fault(local(each["file"]), each["line"], each["column"], each["path"], each["message"])
        for each in failed.faults
    ) from None
