"""A spec that came by the API takes the place of the server's own, whole or not at all."""

import os
from pathlib import Path

import pytest

from mailstack.app.received import (
    FORMER_KEPT,
    Delivery,
    Received,
    as_far_as_received,
    draft,
    hash_of_main,
    is_unsettled,
    read_received,
    refuse_edited,
    settle,
)
from mailstack.model.errors import Conflict
from mailstack.model.instant import Instant
from mailstack.reconcile.brake import Brake, nobody
from mailstack.reconcile.reconciler import Reconciler
from mailstack.spec.load import LoadedSpec, load_spec
from mailstack.spec.secrets import SecretMissing, resolve

OLD = "server: {hostname: mail.example.com}\ndomains: {example.com: }\ninclude: [accounts/*.yaml]\n"
BOB = "accounts: {bob@example.com: }\n"
NEW = f"# from afar\n{OLD}"
ALICE = "accounts: {alice@example.com: {password: env/PW}}\n"


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
    settle(house.storage, applied="new")
    assert house.files() == AFTER
    kept = house.storage / "spec" / "former" / "1000"
    assert {str(path.relative_to(kept)): path.read_text() for path in kept.rglob("*.yaml")} == BEFORE
    assert read_received(house.storage) == Received(
        digest="new", main_hash=hash_of_main(NEW.encode()), caller="token", at=Instant(1_000)
    )
    assert not is_unsettled(house.storage)


def test_where_it_was_not_applied_everything_is_as_it_was(house: House) -> None:
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    settle(house.storage, applied="old")
    assert house.files() == BEFORE
    assert read_received(house.storage) is None
    assert not is_unsettled(house.storage)


@pytest.mark.parametrize("renamed", [(), ("mailstack.yaml",), ("accounts/alice.yaml",)])
def test_a_crash_on_the_way_is_finished_by_the_next_look(house: House, renamed: tuple[str, ...]) -> None:
    draft(house.storage, house.delivery(accounts__alice=ALICE))
    for name in renamed:
        target = house.main.parent / name
        target.with_name(f".{target.name}.mailstack-draft").replace(target)
    settle(house.storage, applied="new")
    settle(house.storage, applied="new")
    assert house.files() == AFTER


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
    settle(house.storage, applied="new")
    assert house.main.stat().st_mode & 0o777 == 0o600
    assert not os.access(house.main, os.X_OK)


def test_only_some_former_specs_are_kept(house: House) -> None:
    for at in range(FORMER_KEPT + 3):
        draft(house.storage, house.delivery(digest=str(at), at=at, accounts__bob=BOB))
        settle(house.storage, applied=str(at))
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
    settle(house.storage, applied="new")
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
