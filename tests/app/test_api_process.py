"""Plans and applies for the API, in processes of their own, on a real store beside a real spec."""

import asyncio
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from mailstack.app.answer_line import Line
from mailstack.app.api_process import AT_ONCE, ApiProcesses
from mailstack.app.applied_spec import load_applied
from mailstack.app.applier import settle_received
from mailstack.app.apply_process import ApplyProcess
from mailstack.app.faults import ApplyBroken
from mailstack.app.messages import Job
from mailstack.app.received import Delivery, Received, draft, hash_of_main, is_unsettled
from mailstack.app.runfiles import run_folder
from mailstack.app.store_address import StoreAddress
from mailstack.app.turn import apply_turn
from mailstack.cli.main import cli
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import Generation, TokenId
from mailstack.model.instant import Instant
from mailstack.model.resource import Kind
from mailstack.servers.calls import Answer, Call, CallKind
from mailstack.spec.load import load_spec
from tests.support.house import MORE, REMOTE, SECRETS, SPEC, House, applied_house
from tests.support.running import until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_programs")]


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house, to be copied."""
    return applied_house(tmp_path_factory.mktemp("applied")).folder


@pytest.fixture
def house(applied: Path, tmp_path: Path) -> Iterator[House]:
    folder = tmp_path / "house"
    shutil.copytree(applied, folder)
    found = House(folder)
    yield found
    assert not list(run_folder(found.storage).glob("api-*/")), "what was sent lies there still"


async def test_a_plan_is_made_of_what_was_sent_and_changes_nothing(house: House) -> None:
    status, reply = await house.plan(MORE)
    assert status == 200
    (change,) = reply["plan"]["changes"]
    assert (change["name"], reply["is_done"]) == ("bob@example.com", False)
    assert (await house.snapshot()).generation == 1
    assert house.spec.read_text() == SPEC
    assert (await house.plan(SPEC))[1]["plan"]["changes"] == []


async def test_a_spec_named_by_a_relative_path_is_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(house.spec.parent)
    job = Job(spec=house.spec.name, log_format="json", log_level="warning")
    house.processes = ApiProcesses(StoreAddress(folder=house.storage), job)
    status, reply = await house.plan(MORE)
    assert (status, reply["plan"]["summary"]["create"]) == (200, 1)


async def test_a_secret_that_the_sender_lacks_is_what_the_server_has_or_a_fault(house: House) -> None:
    assert (await house.plan(SPEC, secrets={}))[1]["plan"]["changes"] == []
    status, reply = await house.plan(MORE, secrets={})
    assert status == 422
    (fault,) = reply["faults"]
    assert (fault["file"], fault["path"]) == ("main", "accounts[bob@example.com].password")
    assert fault["message"].startswith("the secret env/REMOTE_BOB was not sent")


async def test_a_plan_cannot_be_had_with_the_servers_own_secrets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOTE_BOB", "of the server, which the process inherits")
    (house.spec.parent / "bob.hash").write_text("$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234")
    assert (await house.plan(MORE, secrets={}))[0] == 422
    assert (await house.plan(MORE.replace("env/REMOTE_BOB", "file/bob.hash"), secrets={}))[0] == 422


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"null", b'{"bundle": 1}', b'{"bundle": {"main": "x"}, "no_dsn": true}']
)
async def test_a_request_that_makes_no_sense_is_refused_in_words(house: House, content: bytes) -> None:
    status, (reply,) = await house.ask(CallKind.PLAN, content)
    assert (status, reply["title"]) == (422, "Unprocessable Entity")
    assert reply["detail"].startswith("the request is not as openapi.json has it")


async def test_drift_is_of_what_was_applied_here(house: House) -> None:
    status, (reply,) = await house.ask(CallKind.DRIFT, b"")
    assert status == 422  # a spec of the machine's own has its secrets on the machine
    assert reply["faults"][0]["path"] == "accounts[alice@example.com].password"
    await house.ask(CallKind.APPLY, house.request(MORE, expected=await house.expected(MORE)))
    status, (reply,) = await house.ask(CallKind.DRIFT, b"")
    assert (status, reply["changes"], reply["spec_edited"]) == (200, [], False)


async def test_what_was_planned_is_applied_and_is_the_servers_spec_from_then_on(house: House) -> None:
    request = house.request(MORE, expected=await house.expected(MORE))
    status, steps = await house.ask(CallKind.APPLY, request)
    assert (status, steps[-1]["step"], steps[-1]["generation"]) == (200, "Applied", 2)
    assert {"step": "StateCommitted", "generation": 2} in steps
    snapshot = await house.snapshot()
    assert (Kind.ACCOUNT, "bob@example.com") in snapshot.resources
    assert house.spec.read_text() == MORE
    assert load_spec(house.spec).digest == snapshot.spec_hash
    # Where its secrets are not: what reads the spec after a restart finds nothing to do.
    again = await asyncio.to_thread(CliRunner().invoke, cli, ["plan", str(house.spec)])
    assert (again.exit_code, again.stderr) == (0, "")


async def test_an_apply_that_is_not_what_was_planned_does_nothing(house: House) -> None:
    expected = await house.expected(MORE)
    for name, told in (("spec_hash", "the spec has changed"), ("live_hash", "the server or its DNS has changed")):
        request = house.request(MORE, expected={**expected, name: "another"})
        status, (reply,) = await house.ask(CallKind.APPLY, request)
        assert status == 409
        assert reply["detail"].startswith(told)
    assert (await house.snapshot()).generation == 1
    assert house.spec.read_text() == SPEC


async def test_a_spec_that_somebody_edited_on_the_server_is_not_overwritten_unseen(house: House) -> None:
    expected = await house.expected(MORE)
    house.spec.write_text(f"# edited there\n{SPEC}")
    status, (reply,) = await house.ask(CallKind.APPLY, house.request(MORE, expected=expected))
    assert status == 409
    assert "is not what was applied last" in reply["detail"]
    status, steps = await house.ask(CallKind.APPLY, house.request(MORE, expected=expected, overwrite=True))
    assert (status, steps[-1]["step"]) == (200, "Applied")
    (kept,) = (house.storage / "spec" / "former").glob("*/mailstack.yaml")
    assert kept.read_text().startswith("# edited there")


async def test_what_was_changed_on_the_server_and_is_sent_just_so_is_not_in_the_way(house: House) -> None:
    edited = f"# taken over\n{SPEC}"
    house.spec.write_text(edited)
    status, steps = await house.ask(CallKind.APPLY, house.request(edited, expected=await house.expected(edited)))
    assert (status, steps[-1]["step"]) == (200, "Applied"), steps
    assert (await house.snapshot()).spec_hash == load_spec(house.spec).digest


async def test_files_on_the_server_that_were_never_sent_do_not_become_part_of_the_spec(house: House) -> None:
    here = house.folder / "extra"
    here.mkdir()
    (here / "bob.yaml").write_text("accounts: {bob@example.com: {password: env/REMOTE_BOB}}\n")
    text = f"include: [extra/*.yaml]\n{SPEC}"
    expected = await house.expected(text)
    lying = house.spec.parent / "extra" / "carol.yaml"
    lying.parent.mkdir()
    lying.write_text("accounts: {carol@example.com: {}}\n")
    status, (reply,) = await house.ask(CallKind.APPLY, house.request(text, expected=expected))
    assert (status, f"includes {lying}" in reply["detail"]) == (409, True), reply
    assert house.spec.read_text() == SPEC
    assert (await house.snapshot()).generation == 1
    lying.unlink()
    assert (await house.ask(CallKind.APPLY, house.request(text, expected=expected)))[0] == 200
    assert load_spec(house.spec).digest == (await house.snapshot()).spec_hash


async def test_what_the_server_could_not_listen_on_is_not_applied(house: House) -> None:
    text = SPEC.replace("example.com}", 'example.com, listeners: {smtp: ["192.0.2.1:2525"]}}', 1)
    request = house.request(text, expected=await house.expected(text))
    status, (reply,) = await house.ask(CallKind.APPLY, request)
    assert (status, reply["detail"]) == (
        409,
        "smtp on 192.0.2.1:2525: this machine has no such address; nothing was changed",
    )
    assert (await house.snapshot()).generation == 1
    assert house.spec.read_text() == SPEC


async def test_a_brake_holds_from_afar_too_and_is_released_by_name(house: House) -> None:
    text = SPEC.replace(", roles: [admin]", "")
    _, reply = await house.plan(text)
    assert [stop["brake"] for stop in reply["plan"]["stops"]] == ["last_admin"]
    expected = {name: reply["plan"][name] for name in ("spec_hash", "live_hash", "plan_hash")}
    status, (problem,) = await house.ask(CallKind.APPLY, house.request(text, expected=expected))
    assert status == 409
    assert "--allow-last-admin" in problem["detail"]
    request = house.request(text, expected=expected, allow={"last_admin": True})
    assert (await house.ask(CallKind.APPLY, request))[0] == 200


async def test_a_caller_that_goes_away_does_not_stop_an_apply(house: House) -> None:
    request = house.request(MORE, expected=await house.expected(MORE))
    call = Call(kind=CallKind.APPLY, caller=TokenId("the-token"), may_apply=True)
    answer = await house.processes.carry_out(call, orjson.dumps(request))
    await answer.close()
    await house.until_nothing_runs()
    assert house.spec.read_text() == MORE
    assert (await house.snapshot()).generation == 2


def test_a_caller_that_does_not_listen_holds_nothing_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Line(ours, patience_s=0.05)
        line.begin("text/plain")
        began = time.monotonic()
        for _ in range(100):
            line.write(b"x" * 100_000)
        assert time.monotonic() - began < 5


async def test_a_caller_that_goes_away_ends_a_plan_and_nothing_of_it_is_left(house: House) -> None:
    call = Call(kind=CallKind.PLAN, caller=TokenId("the-token"), may_apply=True)
    asking = asyncio.create_task(house.processes.carry_out(call, orjson.dumps(house.request(MORE))))

    async def is_unpacked() -> bool:
        return bool(list(run_folder(house.storage).glob("api-*/.main.yaml"))) or asking.done()

    await until(is_unpacked)
    asking.cancel()
    (ended,) = await asyncio.gather(asking, return_exceptions=True)
    if isinstance(ended, Answer):  # it was there sooner than we looked
        await ended.close()
    await house.until_nothing_runs()


async def test_while_another_applies_it_is_refused_with_that_ones_name(house: House) -> None:
    expected = await house.expected(MORE)
    async with apply_turn(StoreAddress(folder=house.storage), "somebody else"):
        status, (reply,) = await house.ask(CallKind.APPLY, house.request(MORE, expected=expected))
    assert status == 503
    assert f"another apply is at work: process {os.getpid()} (somebody else)" in reply["detail"]
    assert (await house.snapshot()).generation == 1


async def test_an_apply_that_fails_before_the_state_changes_leaves_the_servers_spec_as_it_is(house: House) -> None:
    provider = "{class: mailstack.reconcile.dns.zone_file.ZoneFileProvider, directory: zones}"
    text = f"{SPEC}dns: {{providers: {{p: {provider}}}, zones: {{example.com: {{provider: p}}}}}}\n"
    without = text.replace("zones: {example.com: {provider: p}}", "zones: {}")
    house.spec.write_text(text)
    applied = await asyncio.to_thread(CliRunner().invoke, cli, ["apply", "--yes", str(house.spec)], env=REMOTE)
    assert applied.exit_code == 0, applied.output
    # Records of a zone that leaves go first of all, while the state still knows whose they are.
    in_the_way = house.spec.parent / "zones" / "example.com.new"
    in_the_way.mkdir()
    before = await house.snapshot()
    request = house.request(without, expected=await house.expected(without))
    status, steps = await house.ask(CallKind.APPLY, request)
    assert (status, steps[-1]["step"]) == (200, "Failed")
    assert "DNS zone example.com (provider p): Is a directory" in steps[-1]["detail"]
    assert (await house.snapshot()).generation == before.generation
    assert house.spec.read_text() == text
    assert not is_unsettled(house.storage)
    assert not list(house.spec.parent.rglob("*.mailstack-draft"))
    in_the_way.rmdir()
    status, steps = await house.ask(CallKind.APPLY, request)
    assert (status, steps[-1]["step"]) == (200, "Applied"), steps
    assert house.spec.read_text() == without


async def test_what_a_crash_left_is_settled_before_the_spec_is_read_again(house: House) -> None:
    await house.ask(CallKind.APPLY, house.request(MORE, expected=await house.expected(MORE)))
    applied = (await house.snapshot()).spec_hash
    house.spec.write_text(SPEC)  # as if it had ended between the state and the files
    received = Received(digest=applied, main_hash=hash_of_main(MORE.encode()), caller="the-token", at=Instant(1))
    files = {house.spec.name: MORE}
    draft(
        house.storage,
        Delivery(
            received=received,
            base=Generation(1),
            main=house.spec,
            files=files,
            former=[house.spec],
            certificates=[],
        ),
    )
    await settle_received(StoreAddress(folder=house.storage))
    assert house.spec.read_text() == MORE


async def test_a_reload_that_read_the_former_spec_does_not_undo_what_came_meanwhile(house: House) -> None:
    expected = await house.expected(MORE)
    applying = ApplyProcess.start(Job(spec=str(house.spec), log_level="error"), user=None)
    try:
        await applying.loaded()
        assert (await house.ask(CallKind.APPLY, house.request(MORE, expected=expected)))[0] == 200
        applying.go()
        with pytest.raises(ApplyBroken, match="came by the API while"):
            await applying.applied()
    finally:
        await applying.end()
    snapshot = await house.snapshot()
    assert (Kind.ACCOUNT, "bob@example.com") in snapshot.resources
    assert snapshot.generation == 2


async def test_no_more_than_some_are_carried_out_at_a_time(house: House) -> None:
    held = [
        os.open(run_folder(house.storage) / f"api-{number}.lock", os.O_RDWR | os.O_CREAT) for number in range(AT_ONCE)
    ]
    for file in held:
        fcntl.flock(file, fcntl.LOCK_EX)
    with pytest.raises(TryAgainLater, match="under way"):
        await house.plan(SPEC)
    os.close(held[0])
    assert (await house.plan(SPEC))[0] == 200
    for file in held[1:]:
        os.close(file)


async def test_a_token_has_one_slot_so_that_another_one_finds_one_free(house: House) -> None:
    content = orjson.dumps(house.request(SPEC))
    impatient = ApiProcesses(
        StoreAddress(folder=house.storage), Job(spec=str(house.spec), log_level="warning"), same_token_s=0.0
    )

    def call(token: str) -> Call:
        return Call(kind=CallKind.PLAN, caller=TokenId(token), may_apply=False)

    first = asyncio.create_task(house.processes.carry_out(call("one"), content))

    async def is_under_way() -> bool:
        return bool(house.processes.running) or first.done()

    await until(is_under_way)
    with pytest.raises(TryAgainLater, match="with this token, or in this session, is under way already"):
        await impatient.carry_out(call("one"), content)
    second = await house.processes.carry_out(call("two"), content)
    # The same token's next call waits for the one before.
    third = asyncio.create_task(house.processes.carry_out(call("one"), content))
    for answer in (await first, second, await third):
        assert answer.status == 200
        await answer.close()
    await house.until_nothing_runs()


async def test_whoever_may_only_plan_learns_of_no_password_whether_it_is_the_one_in_use(house: House) -> None:
    replies = []
    for guess in (SECRETS["REMOTE_ALICE"], "a guess"):
        request = house.request(SPEC, {"REMOTE_ALICE": guess})
        status, (reply,) = await house.ask(CallKind.PLAN, request, may_apply=False)
        assert (status, reply["plan"]["changes"]) == (200, [])
        replies.append(reply)
    assert replies[0] == replies[1]
    told = [warning["subject"] for warning in replies[0]["plan"]["warnings"] if "may change" in warning["text"]]
    assert told == ["account alice@example.com"]
    # Whoever may apply sees what that would do.
    changes = (await house.plan(SPEC, {"REMOTE_ALICE": "a guess"}))[1]["plan"]["changes"]
    assert [change["name"] for change in changes] == ["alice@example.com"]


async def test_secrets_that_were_sent_lie_nowhere_in_clear(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    request = house.request(MORE, expected=await house.expected(MORE))
    _, steps = await house.ask(CallKind.APPLY, request)
    await house.plan(MORE.replace("bob", "carol"))
    told = capfd.readouterr()
    for secret in SECRETS.values():
        assert secret not in orjson.dumps(steps).decode()
        assert secret not in told.out + told.err
        found = [path for path in house.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert found == []


EXPECTED = ("spec_hash", "live_hash", "plan_hash")


@pytest.fixture
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a spec of the machine's own has them."""
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)


@pytest.mark.usefixtures("own_secrets")
async def test_the_servers_own_spec_is_planned_and_then_applied_just_so(house: House) -> None:
    status, (reply,) = await house.ask(CallKind.OWN_PLAN, {})
    assert (status, reply["is_done"], reply["shown"]) == (200, True, [])
    house.spec.write_text(MORE)
    status, (reply,) = await house.ask(CallKind.OWN_PLAN, {})
    (shown,) = reply["shown"]
    assert (status, shown["symbol"], shown["title"]) == (200, "+", "account bob@example.com")
    assert any(line.startswith("password") and line.endswith("(secret)") for line in shown["lines"])
    expected = {name: reply["plan"][name] for name in EXPECTED}
    status, _ = await house.ask(CallKind.OWN_APPLY, {"expected": {**expected, "plan_hash": "another"}})
    assert (status, (await house.snapshot()).generation) == (409, 1)
    status, steps = await house.ask(CallKind.OWN_APPLY, {"expected": expected})
    assert (status, steps[-1]["step"], steps[-1]["generation"]) == (200, "Applied", 2)
    assert {"step": "StateCommitted", "told": "the server's state is at generation 2", "generation": 2} in steps
    assert (await house.snapshot()).spec_hash == load_spec(house.spec).digest
    assert load_applied(house.storage, house.spec, load_spec(house.spec).digest) is not None


@pytest.mark.usefixtures("own_secrets")
async def test_the_brakes_hold_for_the_servers_own_spec(house: House) -> None:
    house.spec.write_text(SPEC.replace(", roles: [admin]", ""))
    _, (reply,) = await house.ask(CallKind.OWN_PLAN, {})
    assert [stop["release"] for stop in reply["plan"]["stops"]] == ["--allow-last-admin"]
    expected = {name: reply["plan"][name] for name in EXPECTED}
    status, (refused,) = await house.ask(CallKind.OWN_APPLY, {"expected": expected})
    assert (status, (await house.snapshot()).generation) == (409, 1)
    assert "is the last administrator" in refused["detail"]
    status, steps = await house.ask(CallKind.OWN_APPLY, {"expected": expected, "allow": {"last_admin": True}})
    assert (status, steps[-1]["step"]) == (200, "Applied")


@pytest.mark.usefixtures("own_secrets")
async def test_drift_of_the_servers_own_spec(house: House) -> None:
    status, (reply,) = await house.ask(CallKind.OWN_DRIFT, b"")
    assert (status, reply["changes"], reply["shown"], reply["spec_edited"]) == (200, [], [], False)


async def test_the_records_of_the_servers_own_spec(house: House) -> None:
    """None of a zone, so that all are to be published by hand; of a name that nobody's servers hold."""
    status, (reply,) = await house.ask(CallKind.RECORDS, {})
    (zone,) = reply["zones"]
    assert (status, zone["zone"], reply["spec_edited"]) == (200, "", False)
    by_name = {f"{record['name']} {record['type']}": record for record in zone["records"]}
    assert by_name["example.com MX"]["published_by"] == "by hand"
    assert by_name["ed25519-1._domainkey.example.com TXT"]["note"] == "a DKIM key, which signs once it is seen"
    assert any(
        line.split() == ["example.com.", "3600", "IN", "MX", "10", "mail.example.com."] for line in zone["lines"]
    )
    status, (looked,) = await house.ask(CallKind.ZONE, {"zone": ""})
    assert (status, looked["failure"], looked["remarks"]) == (200, "", [])
    assert {record["state"] for record in looked["records"]} == {"unknown"}
    assert {record["unseen"].partition(",")[0] for record in looked["records"]} == {"not asked"}
    assert (await house.ask(CallKind.ZONE, {"zone": "elsewhere.example"}))[1][0]["records"] == []
    assert await house.ask(CallKind.AROUND_DNS, b"") == (200, [{"remarks": []}])


async def test_a_name_server_that_does_not_answer_is_named(house: House) -> None:
    zone = "dns: {zones: {example.com: {provider: manual, nameservers: ['127.0.0.1:1']}}}"
    house.spec.write_text(f"{SPEC}{zone}\n")
    _, (reply,) = await house.ask(CallKind.RECORDS, {})
    assert [zone["zone"] for zone in reply["zones"]] == ["example.com"]
    assert reply["spec_edited"]
    status, (looked,) = await house.ask(CallKind.ZONE, {"zone": "example.com"})
    assert (status, {record["state"] for record in looked["records"]}) == (200, {"unknown"})
    assert {one["server"] for record in looked["records"] for one in record["servers"]} == {"127.0.0.1:1"}
    assert all(one["told"] for record in looked["records"] for one in record["servers"])


async def test_what_the_spam_filter_has_learned(house: House) -> None:
    status, (reply,) = await house.ask(CallKind.SPAM, b"")
    assert (status, reply["shared"]["ham"], reply["waiting"], reply["accounts"]) == (200, 0, 0, [])
    alice = {"login": "alice@example.com", "hostname": "mail.example.com"}
    assert await house.ask(CallKind.TOKENS, alice) == (200, [{"mails": 0, "spam": [], "ham": []}])
    assert (await house.ask(CallKind.TOKENS, {**alice, "login": "nobody@example.com"}))[0] == 404


@pytest.mark.usefixtures("own_secrets")
async def test_an_own_spec_with_faults_is_told(house: House) -> None:
    house.spec.write_text(f"{SPEC}nonsense: 1\n")
    status, (reply,) = await house.ask(CallKind.OWN_PLAN, {})
    assert status == 409
    assert "has faults" in reply["detail"]
