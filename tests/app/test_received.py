"""A spec that came by the API takes the place of the server's own, whole or not at all."""

import os
from pathlib import Path

import pytest

from mailstack.app.received import (
    FORMER_KEPT,
    Delivery,
    Received,
    amend,
    as_far_as_received,
    draft,
    finish,
    hash_of_main,
    is_unsettled,
    read_received,
    refuse_edited,
    settle,
)
from mailstack.model.errors import Conflict
from mailstack.model.ids import Generation
from mailstack.model.instant import Instant
from mailstack.model.resource import Summary
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.secrets import SecretMissing, resolve

OLD = "server: {hostname: mail.example.com}\ndomains: {example.com: }\ninclude: [accounts/*.yaml]\n"
BOB = "accounts: {bob@example.com: }\n"
NEW = f"# from afar\n{OLD}"
ALICE = "accounts: {alice@example.com: {password: env/PW}}\n"


BASE = Generation(7)


def state_of(digest: str, *, later: int = 1) -> Summary:
    """later: by so many generations than the spec was drafted at."""
    return Summary(generation=Generation(BASE + later), spec_hash=digest, applied_at=None, counts={})


class House:
    """A server's folder with a spec of two files, and its storage."""

    def __init__(self, folder: Path) -> None:
        self.storage = folder / "state"
        self.main = folder / "etc" / "mailstack.yaml"
        (self.storage / "run").mkdir(parents=True)
        (self.main.parent / "accounts").mkdir(parents=True)
        self.main.write_text(OLD)
        (self.main.parent / "accounts" / "bob.yaml").write_text(BOB)

    @property
    def loaded(self) -> LoadedSpec:
        return load_spec(self.main)

    def files(self) -> dict[str, str]:
        folder = self.main.parent
        return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}

    def delivery(self, digest: str = "new", at: int = 1_000, main: str = NEW, **files: str) -> Delivery:
        sent = {"mailstack.yaml": main, **{name.replace("__", "/") + ".yaml": text for name, text in files.items()}}
        return Delivery(
            received=Received(digest=digest, main_hash=hash_of_main(main.encode()), caller="token", at=Instant(at)),
            base=BASE,
            main=self.main,
            files=sent,
            former=self.loaded.files,
            certificates=(),
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


BEFORE = {"mailstack.yaml": OLD, "accounts/bob.yaml": BOB}
AFTER = {"mailstack.yaml": NEW, "accounts/alice.yaml": ALICE}


def test_a_draft_changes_nothing_that_anybody_reads(house: House) -> None:
    before = house.loaded.digest
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    assert house.loaded.digest == before
    assert is_unsettled(house.storage)


def test_once_it_is_applied_it_takes_its_place_and_the_former_is_kept(house: House) -> None:
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    settle(house.storage, state_of("new"))
    assert house.files() == AFTER
    kept = house.storage / "spec" / "former" / "1000"
    assert {str(path.relative_to(kept)): path.read_text() for path in kept.rglob("*.yaml")} == BEFORE
    assert read_received(house.storage) == Received(
        digest="new", main_hash=hash_of_main(NEW.encode()), caller="token", at=Instant(1_000)
    )
    assert not is_unsettled(house.storage)


def test_where_it_was_not_applied_everything_is_as_it_was(house: House) -> None:
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    settle(house.storage, state_of("old"))
    assert house.files() == BEFORE
    assert read_received(house.storage) is None
    assert not is_unsettled(house.storage)


@pytest.mark.parametrize("renamed", [(), ("mailstack.yaml",), ("accounts/alice.yaml",)])
def test_a_crash_on_the_way_is_finished_by_the_next_look(house: House, renamed: tuple[str, ...]) -> None:
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    for name in renamed:
        target = house.main.parent / name
        target.with_name(f".{target.name}.mailstack-draft").replace(target)
    settle(house.storage, state_of("new"))
    settle(house.storage, state_of("new"))
    assert house.files() == AFTER


def test_a_spec_that_was_applied_before_is_not_taken_for_applied_again(house: House) -> None:
    """It may bring a certificate that the state has not seen, or replace what was edited by hand."""
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    settle(house.storage, state_of("new", later=0))
    assert house.files() == BEFORE
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    finish(house.storage, is_applied=False)
    assert (house.files(), is_unsettled(house.storage)) == (BEFORE, False)
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    finish(house.storage, is_applied=True)
    assert (house.files(), is_unsettled(house.storage)) == (AFTER, False)


def test_of_a_draft_that_was_interrupted_nothing_takes_its_place(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the first file, whatever the state came to hold since."""
    written: list[int] = []

    def killed(file: int) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(file)

    with monkeypatch.context() as patched:
        patched.setattr("mailstack.app.received.os.fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            draft(house.storage, house.delivery(accounts__alice=ALICE))
    assert list(house.main.parent.rglob("*.mailstack-draft"))
    settle(house.storage, state_of("new"))
    assert (house.files(), is_unsettled(house.storage)) == (BEFORE, False)


def test_what_this_program_writes_into_a_spec_from_afar_leaves_it_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "of this machine")
    reconciler = Reconciler(state=None, clock=lambda: Instant(0), hash_password=str, brake=Brake(holders=nobody))
    assert not amend(house.storage, OLD.encode(), b"more")
    draft(house.storage, house.delivery(main=OLD, accounts__bob=BOB))
    settle(house.storage, state_of("new"))
    for former, new in ((OLD, f"{OLD}# one\n"), (f"{OLD}# one\n", f"{OLD}# two\n")):
        assert amend(house.storage, former.encode(), new.encode())
        for text in (former, new):  # it may be interrupted before the file is there
            house.main.write_text(text)
            assert as_far_as_received(reconciler, house.storage, house.loaded).keeps_secrets
    house.main.write_text(f"{OLD}# by hand\n")
    assert as_far_as_received(reconciler, house.storage, house.loaded) is reconciler
    assert not amend(house.storage, house.main.read_bytes(), b"more")


def test_a_file_that_is_no_part_of_the_spec_is_not_overwritten(house: House) -> None:
    (house.main.parent / "notes.yaml").write_text("mine")
    with pytest.raises(Conflict, match="no part of its spec"):
        draft(house.storage, house.delivery(notes="gone"))
    assert (house.main.parent / "notes.yaml").read_text() == "mine"
    assert not is_unsettled(house.storage)


def test_nothing_is_written_through_a_linked_folder_or_into_the_storage(house: House, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (house.main.parent / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Conflict, match="linked on the server is a symbolic link"):
        draft(house.storage, house.delivery(linked__sub__a=ALICE))
    with pytest.raises(Conflict, match="lies in its storage"):
        draft(house.main.parent / "state", house.delivery(state__run__a=ALICE))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (house.main.parent / "state").exists()


def test_a_symbolic_link_is_somebody_elses_to_change(house: House, tmp_path: Path) -> None:
    elsewhere = tmp_path / "checkout.yaml"
    house.main.rename(elsewhere)
    house.main.symlink_to(elsewhere)
    with pytest.raises(Conflict, match="symbolic link"):
        draft(house.storage, house.delivery())
    assert elsewhere.read_text() == OLD


def test_a_folder_that_cannot_be_written_to_is_named_and_nothing_is_left(house: House) -> None:
    (house.main.parent / "accounts2").write_text("a file where a folder is wanted")
    with pytest.raises(Conflict, match=r"cannot be replaced: .*accounts2"):
        draft(house.storage, house.delivery(accounts2__alice=ALICE))
    assert not is_unsettled(house.storage)
    assert not list(house.main.parent.rglob("*.mailstack-draft"))


def test_a_file_keeps_its_mode(house: House) -> None:
    house.main.chmod(0o600)
    draft(house.storage, house.delivery())
    settle(house.storage, state_of("new"))
    assert house.main.stat().st_mode & 0o777 == 0o600
    assert not os.access(house.main, os.X_OK)


def test_only_some_former_specs_are_kept(house: House) -> None:
    for at in range(FORMER_KEPT + 3):
        draft(house.storage, house.delivery(digest=str(at), at=at, accounts__bob=BOB))
        settle(house.storage, state_of(str(at)))
    kept = sorted(int(path.name) for path in (house.storage / "spec" / "former").iterdir())
    assert kept == list(range(3, FORMER_KEPT + 3))


def test_a_spec_that_came_from_afar_reads_no_secret_of_this_machine(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "of this machine")
    reconciler = Reconciler(state=None, clock=lambda: Instant(0), hash_password=str, brake=Brake(holders=nobody))
    loaded = house.loaded
    own = as_far_as_received(reconciler, house.storage, loaded)
    assert own.resolve("env/PW", Path()) == "of this machine"

    draft(house.storage, house.delivery(main=OLD, accounts__bob=BOB))
    settle(house.storage, state_of("new"))
    # Its patterns find a file that was never sent: that makes it no spec of this machine's own.
    (house.main.parent / "accounts" / "stray.yaml").write_text("aliases: {postmaster@example.com: bob@example.com}\n")
    received = as_far_as_received(reconciler, house.storage, house.loaded)
    with pytest.raises(SecretMissing):
        received.resolve("env/PW", Path())
    assert received.keeps_secrets
    # Whom it asks on DNS's behalf was decided here.
    assert received.resolve_for_dns is resolve
    # Who may write the main file may have this machine read what it says.
    house.main.write_text(f"# mine again\n{OLD}")
    assert as_far_as_received(reconciler, house.storage, house.loaded) is reconciler


def test_a_spec_that_was_changed_by_hand_is_not_lost_unseen(house: House) -> None:
    loaded = house.loaded
    refuse_edited(loaded, loaded.digest, None)
    with pytest.raises(Conflict, match="not what was applied last"):
        refuse_edited(loaded, "another", None)
    refuse_edited(loaded, loaded.digest, Received(digest=loaded.digest, main_hash="", caller="token", at=Instant(1)))
    with pytest.raises(Conflict, match="changed there since"):
        refuse_edited(loaded, loaded.digest, Received(digest="another", main_hash="", caller="token", at=Instant(1)))
