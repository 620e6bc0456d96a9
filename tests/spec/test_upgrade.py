"""Older versions of the format: read as if they were of today, and rewritten with all that people wrote beside."""

from pathlib import Path

import pytest

from mailstack.spec.include import read_files
from mailstack.spec.load import load_spec
from mailstack.spec.model import Spec
from mailstack.spec.upgrade import OLDER, VERSION, rewritten
from tests.support.golden_spec import DATA

CASES = sorted(path.parent for path in (DATA / "upgrade").glob("*/old.yaml"))


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_an_old_spec_means_the_same_as_the_new_one(folder: Path) -> None:
    old, new = load_spec(folder / "old.yaml"), load_spec(folder / "new.yaml")
    assert old.spec == new.spec
    assert (old.version, new.version) == ("mailstack/v1alpha1", VERSION)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_rewriting_touches_the_renamed_keys_and_nothing_else(folder: Path) -> None:
    path = folder / "old.yaml"
    edits = read_files(path).edits[path]
    assert rewritten(path.read_text(encoding="utf-8"), edits) == (folder / "new.yaml").read_text(encoding="utf-8")
    assert read_files(folder / "new.yaml").edits[folder / "new.yaml"] == ()


def test_included_files_are_of_the_main_files_version(tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "mailstack.yaml").write_text(
        "apiVersion: mailstack/v1alpha1\ninclude: [people/*.yaml]\nserver: {host: mail.example.com}\n"
        "domains: {example.com: }\n"
    )
    (tmp_path / "people" / "relays.yaml").write_text(
        "relays:\n  ses: {host: relay.example, user: file/user, password: file/pw}\n"
    )
    loaded = load_spec(tmp_path / "mailstack.yaml")
    username = loaded.spec.relays["ses"].username
    assert username is not None
    # Relative to its own file, under the new name as under the old one.
    assert username.get_secret_value() == "file/people/user"


def test_places_of_faults_are_those_of_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "mailstack.yaml"
    path.write_text("apiVersion: mailstack/v1alpha1\nserver:\n  host: mail.example.com\ndomains: {example.com: }\n")
    assert str(load_spec(path).fault(("server", "hostname"), "x")).startswith(f"{path}:3:9: server.hostname")


@pytest.mark.parametrize("version", OLDER)
def test_every_new_name_is_a_key_of_the_models(version: str) -> None:
    from mailstack.spec.explain import type_at

    for pattern, new in OLDER[version].items():
        assert type_at(Spec, (*pattern[:-1], new)) is not None
        assert type_at(Spec, pattern) is None
