"""What is due by the clock, done by an applier in a process of its own: from the spec that was applied, and only it."""

import asyncio
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.app.applied_spec import keep_applied, load_applied
from mailstack.app.clock import system_clock
from mailstack.app.messages import Finished, Job
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.cli.main import cli
from mailstack.model.resource import Kind, Snapshot
from mailstack.spec.load import load_spec
from mailstack.store.sqlite.open import open_store
from tests.support.appliers import carried_out

SPEC = """\
include: [accounts/*.yaml]
server: {{hostname: mail.example.com}}
storage: {{path: ../state}}
domains: {{example.com: {{dkim: {{algorithms: [ed25519]}}}}}}
dns:
  providers: {{files: {{class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}}}}
  zones: {{example.com: {{provider: files}}}}
reconcile: {{on_change: {on_change}}}
"""
ALICE = "accounts: {alice@example.com: {password: file/../secrets/alice}}\n"
BOB = "accounts: {bob@example.com: {}}\n"
NEW_KEY = "ed25519-3._domainkey.example.com"


class House:
    def __init__(self, folder: Path, on_change: str) -> None:
        self.spec = folder / "etc" / "mailstack.yaml"
        self.storage = folder / "state"
        self.zone = self.spec.parent / "zones" / "example.com.zone"
        for name in ("accounts", "secrets"):
            (self.spec.parent / name).mkdir(parents=True)
        self.spec.write_text(SPEC.format(on_change=on_change))
        (self.spec.parent / "accounts" / "alice.yaml").write_text(ALICE)
        (self.spec.parent / "secrets" / "alice").write_text("open sesame")

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, str(self.spec)])

    def upkeep(self) -> Finished:
        return asyncio.run(self._upkeep())

    def snapshot(self) -> Snapshot:
        return asyncio.run(self._snapshot())

    async def _upkeep(self) -> Finished:
        job = Job(
            spec=str(self.spec), storage=StoreAddress(folder=self.storage).to_json(), upkeep=True, log_level="error"
        )
        return await carried_out(job)

    async def _snapshot(self) -> Snapshot:
        store = await open_store(self.storage, clock=system_clock, bus=Silence(), read_only=True)
        try:
            return await store.state.snapshot()
        finally:
            await store.close()


@pytest.fixture(params=["plan-only", "apply"])
def house(tmp_path: Path, request: pytest.FixtureRequest) -> House:
    found = House(tmp_path, str(request.param))
    applied = found.run("apply", "--yes")
    assert applied.exit_code == 0, applied.output
    return found


def make_due(house: House) -> None:
    """A new key, whose record has to be published."""
    asked = CliRunner().invoke(cli, ["dkim", "rotate", str(house.spec), "example.com", "--now"])
    assert asked.exit_code == 0, asked.output


def tamper(house: House) -> None:
    house.zone.write_text(house.zone.read_text().replace("10 mail.example.com.", "10 evil.example."))
    assert "evil" in house.zone.read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.parametrize("edit", [BOB, "accounts: {bob@example.com: {qouta: 1GiB}}\n"], ids=["waiting", "with faults"])
def test_what_is_due_is_done_from_the_applied_spec_while_an_edited_one_waits(house: House, edit: str) -> None:
    make_due(house)
    (house.spec.parent / "accounts" / "bob.yaml").write_text(edit)
    before = (house.snapshot()).spec_hash
    done = house.upkeep()
    assert (done.note, done.drift) == ("", [])
    after = house.snapshot()
    assert after.spec_hash == before
    assert (Kind.ACCOUNT, "bob@example.com") not in after.resources
    assert (Kind.DKIM_KEY, NEW_KEY) in after.resources
    assert "ed25519-3._domainkey" in house.zone.read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
def test_upkeep_with_something_due_puts_drift_right_only_where_saving_applies(house: House) -> None:
    is_plan_only = "plan-only" in house.spec.read_text()
    tamper(house)
    (house.spec.parent / "secrets" / "alice").write_text("another one")
    password = (house.snapshot()).resources[Kind.ACCOUNT, "alice@example.com"].digests["password"]
    make_due(house)
    done = house.upkeep()
    after = house.snapshot()
    assert (Kind.DKIM_KEY, NEW_KEY) in after.resources
    assert "ed25519-3._domainkey" in house.zone.read_text()
    assert ("evil" in house.zone.read_text()) is is_plan_only
    is_same = after.resources[Kind.ACCOUNT, "alice@example.com"].digests["password"] == password
    assert is_same is is_plan_only
    if is_plan_only:
        assert sorted(done.drift) == ["account alice@example.com", "dns_record example.com MX"]
        assert sorted((house.upkeep()).drift) == ["account alice@example.com", "dns_record example.com MX"]


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
def test_what_is_due_and_could_not_be_written_is_due_again(tmp_path: Path) -> None:
    """Under plan-only it must not be taken for drift, which nobody puts right."""
    house = House(tmp_path, "plan-only")
    assert house.run("apply", "--yes").exit_code == 0
    make_due(house)
    text = house.zone.read_text()
    house.zone.unlink()
    house.zone.mkdir()  # its provider fails
    with pytest.raises(Exception, match=r"example\.com"):
        house.upkeep()
    house.zone.rmdir()
    house.zone.write_text(text)
    done = house.upkeep()
    assert done.drift == []
    assert "ed25519-3._domainkey" in house.zone.read_text()


def test_a_kept_spec_is_the_one_that_was_applied_in_every_part(tmp_path: Path) -> None:
    house = House(tmp_path, "apply")
    (house.storage / "run").mkdir(parents=True)
    applied = load_spec(house.spec)
    keep_applied(house.storage, applied)
    (house.spec.parent / "accounts" / "bob.yaml").write_text(BOB)
    kept = load_applied(house.storage, house.spec, applied.digest)
    assert kept is not None
    assert (kept.spec, kept.path, kept.digest, kept.main_hash) == (
        applied.spec,
        applied.path,
        applied.digest,
        applied.main_hash,
    )
    assert load_applied(house.storage, house.spec, "another") is None
    assert list((house.storage / "run").iterdir()) == []


def test_a_spec_that_was_saved_again_before_it_is_kept_is_not_taken_for_the_applied_one(tmp_path: Path) -> None:
    house = House(tmp_path, "apply")
    (house.storage / "run").mkdir(parents=True)
    applied = load_spec(house.spec)
    house.spec.write_text(house.spec.read_text() + "# saved again\n")
    keep_applied(house.storage, applied)
    assert load_applied(house.storage, house.spec, applied.digest) is None
    assert load_applied(house.storage, house.spec, load_spec(house.spec).digest) is None


@pytest.mark.parametrize("text", ["", "[]", '{"digest": 1}', "{"])
def test_a_kept_spec_that_is_damaged_is_none_and_is_kept_anew(tmp_path: Path, text: str) -> None:
    house = House(tmp_path, "apply")
    (house.storage / "run").mkdir(parents=True)
    applied = load_spec(house.spec)
    keep_applied(house.storage, applied)
    (kept,) = (house.storage / "spec").iterdir()
    kept.write_text(text)
    assert load_applied(house.storage, house.spec, applied.digest) is None
    keep_applied(house.storage, applied)
    assert load_applied(house.storage, house.spec, applied.digest) is not None


def test_a_spec_that_cannot_be_kept_fails_no_apply_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = House(tmp_path, "apply")
    (house.storage / "spec" / f".applied.json.{os.getpid()}").mkdir(parents=True)  # where it is drafted
    applied = house.run("apply", "--yes")
    assert applied.exit_code == 0, applied.output
    assert "the applied spec is not kept" in applied.output + capsys.readouterr().err
    assert house.snapshot().spec_hash == load_spec(house.spec).digest
