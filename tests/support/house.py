"""A server's spec that was applied in the process of a test, and its API's processes, each for real."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from click.testing import CliRunner

from mailstack.app.api_process import ApiProcesses
from mailstack.app.clock import system_clock
from mailstack.app.messages import Job
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.cli.main import cli
from mailstack.model.ids import TokenId
from mailstack.model.resource import Snapshot
from mailstack.servers.calls import Call, CallKind
from mailstack.spec.bundle import bundle_of
from mailstack.spec.load import load_spec
from mailstack.spec.secrets import resolve
from mailstack.store.sqlite.open import open_store
from tests.support.running import until

SPEC = """\
server: {hostname: mail.example.com}
storage: {path: ../state}
domains: {example.com: }
accounts:
  alice@example.com: {password: env/REMOTE_ALICE, roles: [admin]}
"""
MORE = f"{SPEC}  bob@example.com: {{password: env/REMOTE_BOB}}\n"
SECRETS = {"REMOTE_ALICE": "open sesame of alice", "REMOTE_BOB": "open sesame of bob"}

REMOTE = {"REMOTE_ALICE": SECRETS["REMOTE_ALICE"]}


class House:
    """A server's spec that was applied here, with the secrets that only a sender has now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec = folder / "etc" / "mailstack.yaml"
        self.storage = folder / "state"
        job = Job(spec=str(self.spec), log_format="json", log_level="warning")
        self.processes = ApiProcesses(StoreAddress(folder=self.storage), job)

    def request(self, text: str, secrets: Mapping[str, str] = SECRETS, **more: object) -> dict[str, Any]:
        here = self.folder / "laptop.yaml"
        here.write_text(text)
        by_reference = {f"env/{name}": value for name, value in secrets.items()}
        bundle = bundle_of(load_spec(here), resolve).to_json()
        return {"bundle": {**bundle, "secrets": by_reference}, **more}

    async def ask(self, kind: CallKind, request: object, *, may_apply: bool = True) -> tuple[int, list[Any]]:
        content = request if isinstance(request, bytes) else orjson.dumps(request)
        answer = await self.processes.carry_out(
            Call(kind=kind, caller=TokenId("the-token"), may_apply=may_apply), content
        )
        told = b"".join([chunk async for chunk in answer.chunks])
        await answer.close()
        await self.until_nothing_runs()
        return answer.status, [orjson.loads(line) for line in told.splitlines()]

    async def until_nothing_runs(self) -> None:
        async def is_over() -> bool:
            return not self.processes.running

        await until(is_over)

    async def plan(self, text: str, secrets: Mapping[str, str] = SECRETS, **more: object) -> tuple[int, Any]:
        status, (reply,) = await self.ask(CallKind.PLAN, self.request(text, secrets, **more))
        return status, reply

    async def expected(self, text: str) -> dict[str, str]:
        _, reply = await self.plan(text)
        assert "plan" in reply, reply
        return {name: reply["plan"][name] for name in ("spec_hash", "live_hash", "plan_hash")}

    async def snapshot(self) -> Snapshot:
        store = await open_store(self.storage, clock=system_clock, bus=Silence(), read_only=True)
        try:
            return await store.state.snapshot()
        finally:
            await store.close()


def applied_house(folder: Path, text: str = SPEC) -> House:
    made = House(folder)
    made.spec.parent.mkdir()
    made.spec.write_text(text)
    done = CliRunner().invoke(cli, ["apply", "--yes", str(made.spec)], env=REMOTE)
    assert done.exit_code == 0, done.output
    return made
