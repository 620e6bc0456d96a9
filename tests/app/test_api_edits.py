"""What the spec says and where; a change of it proposed, written where it lies, and taken back: by real processes."""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mailstack.app.api_process import ApiProcesses, Order
from mailstack.app.api_proposal import edits_of
from mailstack.app.messages import Job
from mailstack.app.received import Received, read_received
from mailstack.app.runfiles import SPEC_FOLDER, run_folder, write_json
from mailstack.app.sandbox import SandboxJob
from mailstack.app.spec_files import DRAFT, MOST_KEPT, read_edits
from mailstack.app.store_address import StoreAddress
from mailstack.app.turn import apply_turn
from mailstack.servers.calls import CallKind
from mailstack.spec.load import load_spec
from tests.support.house import SPEC, House, applied_house

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_programs")]

ALICE = {"section": "accounts", "name": "alice@example.com"}
QUOTA = {**ALICE, "act": "set", "values": {"quota": "2GiB"}}
WRITES = f"{SPEC}reconcile: {{admin_edits: write}}\n"
CHANGED = WRITES.replace("[admin]}", "[admin], quota: 2GiB}")
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG"


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house, to be copied."""
    return applied_house(tmp_path_factory.mktemp("applied"), WRITES).folder


@pytest.fixture
def house(applied: Path, tmp_path: Path) -> Iterator[House]:
    folder = tmp_path / "house"
    shutil.copytree(applied, folder)
    found = House(folder)
    yield found
    assert not list(run_folder(found.storage).glob("api-*/")), "a draft lies there still"


async def proposed(house: House, change: Mapping[str, Any] = QUOTA) -> dict[str, Any]:
    status, (reply,) = await house.ask(CallKind.PROPOSAL, change)
    assert status == 200, reply
    return dict(reply)


async def write(house: House, change: Mapping[str, Any] = QUOTA, **shown: str) -> tuple[int, dict[str, Any]]:
    if not shown:
        found = await proposed(house, change)
        shown = {name: found[name] for name in ("before", "after")}
    status, (reply,) = await house.ask(CallKind.WRITE, {**change, **shown, "by": "alice@example.com"})
    return status, reply


async def test_an_entry_with_its_places(house: House) -> None:
    house.spec.write_text(f"{WRITES}defaults: {{account: {{quota: 1GiB}}}}\n")
    status, (reply,) = await house.ask(CallKind.ENTRY, ALICE)
    rows = {row["key"]: row for row in reply["rows"]}
    assert (status, reply["mode"], reply["is_applied"]) == (200, "write", False)
    assert reply["password"] == {"owner": "spec", "where": f"{house.spec}:5", "since": None}
    found = [(rows[key]["words"], rows[key]["where"], rows[key]["is_own"]) for key in ("roles", "quota", "name")]
    assert found == [(["admin"], f"{house.spec}:5", True), (["1GiB"], f"{house.spec}:7", False), ([], None, False)]
    assert rows["can"]["words"] == ["receive", "read", "submit"]
    assert rows["limits.recipients_per_hour"]["words"] == ["500"]
    assert "password" not in rows
    status, (reply,) = await house.ask(CallKind.ENTRY, {"section": "accounts", "name": ""})
    assert [row["key"] for row in reply["rows"]] == ["name", "quota", "addresses", "roles", "can"]
    assert (await house.ask(CallKind.ENTRY, {**ALICE, "name": "nobody@example.com"}))[0] == 404
    assert (await house.ask(CallKind.ENTRY, {**ALICE, "name": "no address"}))[0] == 422
    assert (await house.ask(CallKind.ENTRY, {**ALICE, "section": "relays"}))[0] == 422


async def test_a_proposal_is_the_spec_as_it_would_be_and_nothing_is_written(house: House) -> None:
    found = await proposed(house)
    assert (found["file"], found["faults"], found["can_write"]) == (str(house.spec), [], True)
    assert found["diff"][-3:-1] == [
        "-  alice@example.com: {password: env/REMOTE_ALICE, roles: [admin]}",
        "+  alice@example.com: {password: env/REMOTE_ALICE, roles: [admin], quota: 2GiB}",
    ]
    assert house.spec.read_text() == WRITES
    found = await proposed(house, {**QUOTA, "values": {"quota": "much"}})
    (fault,) = found["faults"]
    assert fault.startswith(f"{house.spec}:5:74: accounts[alice@example.com].quota: not a size")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "nobody@example.com"}, 404),
        ({"values": {"password": "env/REMOTE_BOB"}}, 422),
        ({"values": {"sieve": "file"}}, 422),
        ({"values": {"name": "a\nb: c"}}, 422),
        ({"section": "dns"}, 422),
        ({"act": "add"}, 422),
        ({"act": "add", "section": "aliases", "name": "x@example.com", "values": {}}, 422),
        ({"values": {f"key{number}": "" for number in range(51)}}, 422),
    ],
)
async def test_what_is_not_proposed(house: House, change: Mapping[str, Any], status: int) -> None:
    assert (await house.ask(CallKind.PROPOSAL, {**QUOTA, **change}))[0] == status


async def test_a_proposal_shows_no_hash(house: House) -> None:
    house.spec.write_text(WRITES.replace("env/REMOTE_ALICE", f'"{HASH}"'))
    found = await proposed(house, {**QUOTA, "values": {"name": "Alice"}})
    assert "name: Alice" in found["diff"][-2]
    assert "c29tZXNhbHQ" not in str(found)


async def test_a_section_goes_with_the_last_that_it_says(house: House) -> None:
    reports = "{tls_rpt: {reports_to: alice@example.com}}"
    house.spec.write_text(WRITES.replace("example.com: }", f"example.com: {reports}}}"))
    domain = {"section": "domains", "name": "example.com", "act": "set", "values": {"tls_rpt.reports_to": ""}}
    found = await proposed(house, domain)
    assert (found["faults"], "+domains: {example.com: {}}" in found["diff"]) == ([], True)


async def test_of_several_nodes_one_file_is_written() -> None:
    storage = StoreAddress(folder=Path("/nowhere"), database="postgresql:///mail").to_json()
    order = Order(
        kind="proposal", caller="x", may_apply=True, storage=storage, spec="x", size=0, log_format="", log_level=""
    )
    own = load_spec(Path("mailstack.yaml.example"))
    (note,) = edits_of(order, own, Path("/nowhere.yaml"))["notes"]
    assert note.startswith("Several nodes may serve this spec")


async def test_new_entries_come_beside_their_kind(house: House) -> None:
    (house.spec.parent / "more").mkdir()
    bobs = house.spec.parent / "more" / "bob.yaml"
    bobs.write_text("accounts:\n  bob@example.org:\n    quota: 1GiB\n")
    house.spec.write_text(
        f"{WRITES}include: [more/*.yaml]\n".replace("{example.com: }", "{example.com: , example.org: }")
    )
    new = {"act": "add", "section": "accounts"}
    there = await proposed(house, {**new, "name": "eve@example.org", "values": {"name": "Eve", "quota": ""}})
    assert (there["file"], there["faults"]) == (str(bobs), [])
    assert there["diff"][-2:] == ["+  eve@example.org:", "+    name: Eve"]
    here = await proposed(house, {**new, "name": "eve@example.com", "values": {"roles": "admin"}})
    assert (here["file"], here["diff"][-2]) == (str(house.spec), "+  eve@example.com: {roles: [admin]}")
    alias = await proposed(
        house, {**new, "section": "aliases", "name": "x@example.com", "values": {"targets": "bob@example.org"}}
    )
    assert alias["diff"][-2:] == ["+aliases:", "+  x@example.com: bob@example.org"]
    stranger = await proposed(house, {**new, "name": "eve@elsewhere.example", "values": {}})
    assert "elsewhere.example" in stranger["faults"][0]


async def test_a_change_is_written_as_it_was_shown(house: House) -> None:
    house.spec.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(house.spec, 4321, 4322)
    before = house.spec.stat()
    status, reply = await write(house)
    after = house.spec.stat()
    assert (status, house.spec.read_text()) == (200, CHANGED)
    assert reply["digest"] == load_spec(house.spec).digest
    assert (reply["on_change"], reply["notes"]) == ("apply", [])
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert [path.name for path in house.spec.parent.iterdir()] == [house.spec.name]
    assert (await house.snapshot()).generation == 1


async def test_what_was_written_is_taken_back_one_after_the_other(house: House) -> None:
    _, first = await write(house)
    _, second = await write(house, {**QUOTA, "values": {"name": "Alice", "quota": ""}})
    status, (reply,) = await house.ask(CallKind.EDITS, b"")
    assert (status, [edit["can_undo"] for edit in reply["edits"]]) == (200, [True, False])
    assert reply["edits"][0]["by"] == "alice@example.com"
    assert (await house.ask(CallKind.UNDO, {"written": first["written"]}))[0] == 409
    for made, left in ((second, CHANGED), (first, WRITES)):
        assert (await house.ask(CallKind.UNDO, {"written": made["written"]}))[0] == 200
        assert house.spec.read_text() == left
    assert (await house.ask(CallKind.UNDO, {"written": first["written"]}))[0] == 404


async def test_what_could_not_be_written_is_not_said_to_be(house: House) -> None:
    await write(house)
    more = {**QUOTA, "values": {"name": "Alice"}}
    house.spec.with_name(f".{house.spec.name}{DRAFT}").mkdir()  # in the way, as a full disk would be
    status, reply = await write(house, more)
    assert (status, house.spec.read_text()) == (503, CHANGED)
    assert reply["detail"].endswith("it is as it was")
    assert len(read_edits(house.storage)) == 1
    edits = house.storage / SPEC_FOLDER / "edits.json"
    edits.unlink()
    edits.mkdir()
    status, reply = await write(house, more)
    assert (status, house.spec.read_text()) == (503, CHANGED)
    assert reply["detail"].startswith(f"{edits} cannot be written")


async def test_what_changed_since_is_not_taken_back(house: House) -> None:
    _, made = await write(house)
    house.spec.write_text(f"{CHANGED}# by hand\n")
    status, (reply,) = await house.ask(CallKind.UNDO, {"written": made["written"]})
    assert (status, house.spec.read_text()) == (409, f"{CHANGED}# by hand\n")
    assert "has changed since it was written from here" in reply["detail"]
    (edit,) = (await house.ask(CallKind.EDITS, b""))[1][0]["edits"]
    assert edit["can_undo"] is False


async def test_of_two_administrators_the_second_is_told(house: House) -> None:
    shown = await proposed(house)
    assert (await write(house, {**QUOTA, "values": {"name": "Alice"}}))[0] == 200
    left = house.spec.read_text()
    status, reply = await write(house, before=shown["before"], after=shown["after"])
    assert (status, house.spec.read_text()) == (409, left)
    assert "has changed since the diff was shown" in reply["detail"]


async def test_what_was_not_shown_is_not_written(house: House) -> None:
    shown = await proposed(house)
    more = {**QUOTA, "values": {"quota": "3GiB"}}
    assert (await write(house, more, before=shown["before"], after=shown["after"]))[0] == 409
    assert house.spec.read_text() == WRITES


async def test_a_spec_with_faults_is_not_written(house: House) -> None:
    status, reply = await write(house, {**QUOTA, "values": {"quota": "much"}})
    assert (status, house.spec.read_text()) == (422, WRITES)
    (fault,) = reply["faults"]
    assert (fault["file"], fault["line"]) == (str(house.spec), 5)


@pytest.mark.parametrize(("mode", "told"), [("propose", "does not let it be written"), ("off", "admin_edits is off")])
async def test_where_the_spec_does_not_allow_it(house: House, mode: str, told: str) -> None:
    shown = await proposed(house)
    closed = WRITES.replace("write", mode)
    house.spec.write_text(closed)
    if mode == "propose":
        shown = await proposed(house)
        assert (shown["can_write"], shown["why_not"]) == (False, "")
    else:
        assert (await house.ask(CallKind.PROPOSAL, QUOTA))[0] == 409
    status, reply = await write(house, before=shown["before"], after=shown["after"])
    assert (status, house.spec.read_text()) == (409, closed)
    assert told in reply["detail"]


async def test_a_sandbox_never_writes(house: House) -> None:
    sandbox = SandboxJob(state=str(house.storage), base_port=20_000).to_json()
    job = Job(spec=str(house.spec), log_format="json", log_level="warning", sandbox=sandbox)
    house.processes = ApiProcesses(StoreAddress(folder=house.storage), job)
    shown = await proposed(house)
    assert (shown["can_write"], shown["why_not"]) == (False, "a sandbox never writes the spec that it runs")
    assert (await write(house, before=shown["before"], after=shown["after"]))[0] == 409
    assert house.spec.read_text() == WRITES


async def test_one_of_an_older_version_is_upgraded_first(house: House) -> None:
    house.spec.write_text(f"apiVersion: mailstack/v1alpha1\n{WRITES}")
    status, (reply,) = await house.ask(CallKind.PROPOSAL, QUOTA)
    assert (status, "mailstack upgrade-spec" in reply["detail"]) == (422, True)


async def test_a_spec_from_afar_stays_one(house: House) -> None:
    own = load_spec(house.spec)
    (house.storage / SPEC_FOLDER).mkdir(exist_ok=True)
    received = {"digest": own.digest, "main_hash": own.main_hash, "caller": "token", "at": 1, "amended_hash": ""}
    write_json(house.storage / SPEC_FOLDER / "received.json", received)
    _, reply = await write(house)
    assert "came by the API" in reply["notes"][0]
    found = read_received(house.storage)
    assert isinstance(found, Received)
    assert found.amended_hash == load_spec(house.spec).main_hash


async def test_a_git_work_tree_is_told(house: House) -> None:
    git = house.spec.parent / ".git"
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (note,) = (await proposed(house))["notes"]
    assert note.startswith(f"{house.spec.parent} is a Git work tree, on branch main: what is written there is not")


async def test_while_another_applies_nothing_is_written(house: House) -> None:
    shown = await proposed(house)
    async with apply_turn(StoreAddress(folder=house.storage), "another"):
        status, reply = await write(house, before=shown["before"], after=shown["after"])
    assert (status, house.spec.read_text()) == (503, WRITES)
    assert "another" in reply["detail"]


async def test_only_the_last_writes_are_kept_and_nobody_else_reads_them(house: House) -> None:
    for number in range(MOST_KEPT + 1):
        await write(house, {**QUOTA, "values": {"quota": f"{number + 1}GiB"}})
    assert len(read_edits(house.storage)) == MOST_KEPT
    assert stat.S_IMODE((house.storage / SPEC_FOLDER / "edits.json").stat().st_mode) == 0o600
