"""`mailstack account` as it is typed."""

import asyncio
import json
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner, Result

from mailstack.app.silence import Silence
from mailstack.cli.account_facts import size_text
from mailstack.cli.main import cli
from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.services.identity.passwords import verify_password
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.stores import account_of, mailbox_with, new_message

SPEC = """
server: {hostname: mail.example.com}
storage: {path: state}
domains: {example.com: }
accounts:
  alice@example.com: {name: Alice, quota: 1GiB, addresses: [a@example.com]}
  bob@example.com: {can: [receive]}
aliases: {team@example.com: [alice@example.com]}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    assert run("apply", "--yes", str(path)).exit_code == 0
    return path


async def _deliver(storage: Path) -> AccountId:
    store = await open_store(storage, clock=FakeClock(), bus=Silence())
    account_id = (await account_of(store, "alice@example.com")).account_id
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message(1), new_message(2)])
    await store.close()
    return account_id


@pytest.fixture
def alice(spec: Path) -> AccountId:
    """With two messages; nobody else has any."""
    return asyncio.run(_deliver(spec.parent / "state"))


def test_list(spec: Path) -> None:
    found = json.loads(run("account", "list", str(spec), "--format", "json").stdout)
    assert [one["login"] for one in found] == ["alice@example.com", "bob@example.com"]
    assert (found[0]["addresses"], found[0]["quota_bytes"]) == (["a@example.com"], 1 << 30)
    assert (found[1]["can"], found[1]["quota_bytes"]) == (["receive"], None)
    shown = run("account", "list", str(spec)).stdout
    assert "bob@example.com" in shown
    assert "unlimited" in shown


def test_show_takes_any_address_of_the_account(spec: Path, alice: AccountId) -> None:
    found = json.loads(run("account", "show", str(spec), "A@example.com", "--format", "json").stdout)
    assert (found["id"], found["messages"], found["used_bytes"]) == (alice, 2, 994)
    assert [one["messages"] for one in found["mailboxes"] if one["path"] == "INBOX"] == [2]
    assert found["indexed"] is False
    assert run("account", "reindex", str(spec), "alice@example.com").exit_code == 0
    assert json.loads(run("account", "show", str(spec), "alice@example.com", "--format", "json").stdout)["indexed"]
    assert json.loads(run("account", "show", str(spec), "bob@example.com", "--format", "json").stdout)["indexed"]
    assert "INBOX" in run("account", "show", str(spec), "alice@example.com").stdout


def test_show_says_what_was_sent_and_what_may_be(spec: Path) -> None:
    spec.write_text(f"{SPEC}defaults: {{account: {{limits: {{recipients_per_day: null}}}}}}\n")
    run("apply", "--yes", str(spec))
    found = json.loads(run("account", "show", str(spec), "alice@example.com", "--format", "json").stdout)
    assert found["limits"] == {
        "messages_per_hour": None,
        "messages_per_day": None,
        "recipients_per_hour": 500,
        "recipients_per_day": None,
    }
    assert found["submitted"] == dict.fromkeys(found["limits"], 0)
    assert "recipients_per_hour" in run("account", "show", str(spec), "alice@example.com").stdout


def test_stats_begin_with_the_fullest(spec: Path, alice: AccountId) -> None:
    found = json.loads(run("account", "stats", str(spec), "--format", "json").stdout)
    assert [(one["login"], one["messages"]) for one in found] == [("alice@example.com", 2), ("bob@example.com", 0)]
    assert found[0]["newest"].startswith("2023-11-14T")
    assert "1.0 GiB" in run("account", "stats", str(spec)).stdout


def test_verify(spec: Path, alice: AccountId) -> None:
    sound = run("account", "verify", str(spec))
    assert (sound.exit_code, sound.stdout) == (0, "2 of 2 accounts are sound\n")
    connection = apsw.Connection(str(account_folder(spec.parent / "state", alice) / "mail.db"))
    connection.execute("UPDATE counter SET used_bytes = 5")
    connection.close(True)
    wrong = run("account", "verify", str(spec), "--quick")
    assert wrong.exit_code == 1
    assert "quota: the account: says that 5 bytes are used; its messages have 994" in wrong.stdout
    assert wrong.stdout.endswith("1 of 2 accounts are sound\n")
    assert run("account", "verify", str(spec), "bob@example.com").exit_code == 0
    found = json.loads(run("account", "verify", str(spec), "--format", "json").stdout)
    assert [[flaw["rule"] for flaw in one["flaws"]] for one in found] == [["quota"], []]


def test_an_account_whose_file_is_damaged_hides_no_other(spec: Path, alice: AccountId) -> None:
    (account_folder(spec.parent / "state", alice) / "mail.db").write_bytes(b"no database" * 994)
    done = run("account", "stats", str(spec))
    assert "bob@example.com" in done.stdout
    assert "alice@example.com" in done.stderr
    assert "damaged" in done.stderr
    shown = run("account", "show", str(spec), "alice@example.com")
    assert (shown.exit_code, "damaged" in shown.stderr) == (1, True)


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("nobody@example.com", "there is no account nobody@example.com"),
        ("team@example.com", "team@example.com is an alias, not an account"),
        ("alice", "alice is no address: an address needs an @"),
    ],
)
def test_an_address_that_is_no_account(spec: Path, address: str, complaint: str) -> None:
    done = run("account", "show", str(spec), address)
    assert (done.exit_code, done.stderr) == (1, f"error: {complaint}\n")


def test_before_the_first_apply(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text(SPEC)
    done = run("account", "list", str(path))
    assert done.exit_code == 1
    assert "nothing was applied yet" in done.stderr
    assert not (tmp_path / "state").exists()


def test_reindex(spec: Path, alice: AccountId) -> None:
    done = run("account", "reindex", str(spec), "--all")
    assert (done.exit_code, done.stdout) == (
        0,
        "alice@example.com: 2 messages indexed\nbob@example.com: 0 messages indexed\n",
    )


def test_reindex_goes_on_after_an_account_that_is_damaged(spec: Path, alice: AccountId) -> None:
    (account_folder(spec.parent / "state", alice) / "mail.db").write_bytes(b"no database" * 994)
    done = run("account", "reindex", str(spec), "--all")
    assert (done.exit_code, done.stdout) == (1, "bob@example.com: 0 messages indexed\n")
    assert "alice@example.com: " in done.stderr
    found = json.loads(run("account", "reindex", str(spec), "--all", "--format", "json").stdout)
    assert [one["messages"] for one in found] == [None, 0]
    assert "damaged" in found[0]["error"]


def test_a_sandbox_keeps_its_accounts_elsewhere(spec: Path, alice: AccountId, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SPEC.replace("path: state", "path: nothing-here"))
    state = str(spec.parent / "state")
    for command in ("list", "stats", "verify"):
        assert run("account", command, str(other)).exit_code == 1
        assert run("account", command, str(other), "--state", state).exit_code == 0
    assert run("account", "show", str(other), "alice@example.com", "--state", state).exit_code == 0
    assert run("account", "reindex", str(other), "--all", "--state", state).exit_code == 0


def test_reindex_wants_to_be_told_of_whom(spec: Path) -> None:
    done = run("account", "reindex", str(spec))
    assert (done.exit_code, done.stderr) == (1, "error: name the accounts to index anew, or say --all\n")


def test_sizes_are_in_the_units_of_specs() -> None:
    assert [size_text(size) for size in (0, 1_023, 1_536, 5 << 20, 3 << 30, 2 << 40)] == [
        "0 B", "1023 B", "1.5 KiB", "5.0 MiB", "3.0 GiB", "2.0 TiB",
    ]  # fmt: skip


def owners(spec: Path, address: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(
        run("account", "show", str(spec), address, "--format", "json").stdout
    )["owners"]
    return found


def set_password(spec: Path, password: str, address: str = "alice@example.com") -> Result:
    arguments = ("account", "password", str(spec), address, "--stdin")
    return CliRunner().invoke(cli, arguments, input=password)


async def _password_hash(storage: Path, login: str) -> str:
    store = await open_store(storage, clock=FakeClock(), bus=Silence(), read_only=True)
    try:
        return (await account_of(store, login)).password_hash
    finally:
        await store.close()


def test_a_password_of_the_users_own_stays_through_the_next_apply(spec: Path) -> None:
    changed = set_password(spec, "correct horse\n", "A@example.com")
    assert (changed.exit_code, changed.stderr) == (0, "")
    assert "correct horse" not in changed.output
    spec.write_text(SPEC.replace("name: Alice", "name: Alicia"))
    assert run("apply", "--yes", str(spec)).exit_code == 0
    kept = asyncio.run(_password_hash(spec.parent / "state", "alice@example.com"))
    assert verify_password(kept, "correct horse")
    assert run("plan", str(spec)).exit_code == 0


def test_show_says_who_owns_what_and_where_the_spec_says_so(spec: Path) -> None:
    before = owners(spec, "alice@example.com")
    assert before["quota_bytes"] == {"owner": "spec", "where": f"{spec}:6", "since": None}
    assert before["password"] == {"owner": "user", "where": None, "since": None}
    set_password(spec, "correct horse\n")
    after = owners(spec, "alice@example.com")["password"]
    assert (after["owner"], after["where"]) == ("user", None)
    assert str(after["since"]).startswith("20")
    assert "who says so" in run("account", "show", str(spec), "alice@example.com").stdout


def test_what_comes_from_the_defaults_has_the_line_of_the_defaults(spec: Path) -> None:
    spec.write_text(f"{SPEC}defaults:\n  account:\n    quota: 5GiB\n")
    run("apply", "--yes", str(spec))
    assert owners(spec, "bob@example.com")["quota_bytes"]["where"] == f"{spec}:11"
    assert owners(spec, "bob@example.com")["abilities"]["where"] == f"{spec}:7"
    assert owners(spec, "alice@example.com")["quota_bytes"]["where"] == f"{spec}:6"


def test_a_password_in_the_spec_has_its_line_until_the_user_changes_it(spec: Path) -> None:
    spec.write_text(SPEC.replace("{can: [receive]}", f"\n    can: [receive]\n    password: $2b$12${'a' * 53}"))
    run("apply", "--yes", str(spec))
    assert owners(spec, "bob@example.com")["password"] == {"owner": "spec", "where": f"{spec}:9", "since": None}
    set_password(spec, "correct horse\n", "bob@example.com")
    assert owners(spec, "bob@example.com")["password"]["owner"] == "user"


@pytest.mark.parametrize(
    ("password", "address", "complaint"),
    [
        ("short\n", "alice@example.com", "at least 8 characters"),
        ("", "alice@example.com", "at least 8 characters"),
        ("correct horse\n", "team@example.com", "is an alias"),
        ("correct horse\n", "nobody@example.com", "there is no account"),
    ],
)
def test_a_password_that_cannot_be_set_changes_nothing(spec: Path, password: str, address: str, complaint: str) -> None:
    refused = set_password(spec, password, address)
    assert refused.exit_code == 1
    assert complaint in refused.stderr
    assert json.loads(run("status", str(spec), "--format", "json").stdout)["generation"] == 1


def test_without_a_terminal_a_password_is_not_asked_for(spec: Path) -> None:
    refused = run("account", "password", str(spec), "alice@example.com")
    assert refused.exit_code == 1
    assert "--stdin" in refused.stderr
