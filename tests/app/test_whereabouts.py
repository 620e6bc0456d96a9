"""Finding the storage of specs that nothing else can be done with."""

from pathlib import Path

import pytest

from mailstack.app.applied_spec import keep_applied
from mailstack.app.runfiles import run_folder
from mailstack.app.store_address import StoreAddress
from mailstack.app.whereabouts import find_storage
from mailstack.spec.load import load_spec

DEFAULT = Path("/var/lib/mailstack")


@pytest.mark.parametrize(
    ("text", "storage"),
    [
        ("storage: {path: state}\n", "state"),
        ("storage:\n  path: /srv/mail\nnonsense: 1\n", "/srv/mail"),
        ("server: }\nstorage: {path: state}\n", "state"),
        ("server: }\nstorage:  # here\n\n  # there\n  path: 'my mail'  # quoted\n", "my mail"),
        ("server: }\nstorage:\n\tpath: state\n", "state"),
        ("server: {}\n", str(DEFAULT)),
        ("storage: [path]\n", str(DEFAULT)),
        ("storage: {path: [x]}\n", str(DEFAULT)),
        ("}", str(DEFAULT)),
        ("", str(DEFAULT)),
    ],
)
def test_what_the_text_says(tmp_path: Path, text: str, storage: str) -> None:
    spec = tmp_path / "mail.yaml"
    spec.write_text(text)
    found = find_storage(spec)
    assert found.storage == StoreAddress(folder=tmp_path / storage)
    assert found.folder == tmp_path / storage
    assert found.files == (spec,)


def test_what_an_included_file_says_is_relative_to_that_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "one.yaml").write_text("storage: {path: state}\n")
    spec = tmp_path / "mail.yaml"
    spec.write_text("include: [parts/one.yaml]\nnonsense: 1\n")
    found = find_storage(spec)
    assert found.folder == tmp_path / "parts" / "state"
    assert found.files == (spec, tmp_path / "parts" / "one.yaml")


def test_scripts_that_a_spec_names_are_among_its_files_though_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "one.yaml").write_text("accounts: {a@b.example: {sieve: {file: a.sieve}}, c: {sieve: {}}}\n")
    spec = tmp_path / "mail.yaml"
    spec.write_text("include: [parts/one.yaml]\nsieve: {before: [{file: all.sieve}]}\nnonsense: 1\n")
    assert find_storage(spec).files[2:] == (tmp_path / "parts" / "a.sieve", tmp_path / "all.sieve")


def test_no_file_at_all(tmp_path: Path) -> None:
    assert find_storage(tmp_path / "missing.yaml").storage == StoreAddress(folder=DEFAULT)


@pytest.mark.parametrize(
    "text",
    [
        "storage: {path: state, database: env/NOT_THERE}\n",
        "storage:\n  path: state\n  database: [x]\n",
        "server: }\nstorage: {path: state, database: env/DATABASE}\n",
        "server: }\nstorage:\n  path: state\n  # here\n  database: env/DATABASE\n",
    ],
)
def test_a_database_that_cannot_be_said_is_not_taken_for_what_its_folder_held_before(tmp_path: Path, text: str) -> None:
    spec = tmp_path / "mail.yaml"
    spec.write_text(text)
    found = find_storage(spec)
    assert (found.folder, found.storage) == (tmp_path / "state", None)


def test_a_database_in_a_comment_is_none(tmp_path: Path) -> None:
    spec = tmp_path / "mail.yaml"
    spec.write_text("server: }\nstorage:\n  path: state\n  # database: env/DATABASE\n")
    assert find_storage(spec).storage == StoreAddress(folder=tmp_path / "state")


URL = "postgresql://mailstack@db.example.com/mail"
WHOLE = "server: {hostname: mail.example.com}\ndomains: {example.com: {}}\n"
IN_DATABASE = WHOLE + "storage: {path: state, database: env/MAIL_DATABASE}\n"
NO_YAML = "server: }\n"


def applied(spec: Path, text: str) -> Path:
    """A spec that was applied, and its folder."""
    spec.write_text(text)
    folder = spec.parent / "state"
    run_folder(folder).mkdir(parents=True)
    keep_applied(folder, load_spec(spec))
    return folder


@pytest.mark.parametrize(
    "broken", ["storage: {path: state, database: env/MAIL_DATABASE}\n", "storage: {path: state, databse env/X}\n"]
)
def test_which_database_a_spec_that_is_no_yaml_means_is_known_from_what_was_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setenv("MAIL_DATABASE", URL)
    spec = tmp_path / "mail.yaml"
    folder = applied(spec, IN_DATABASE)
    spec.write_text(NO_YAML + broken)
    assert find_storage(spec).storage == StoreAddress(folder=folder, database=URL)
    assert {path.name for path in run_folder(folder).iterdir()} == set()


def test_where_its_secret_is_missing_no_other_storage_is_taken_for_the_database(tmp_path: Path) -> None:
    spec = tmp_path / "mail.yaml"
    applied(spec, IN_DATABASE.replace("MAIL_DATABASE", "NO_SUCH_DATABASE"))
    for text in ("storage: {path: state}\n", "storage: {path: state, database: env/NO_SUCH_DATABASE}\n"):
        spec.write_text(NO_YAML + text)
        assert find_storage(spec).storage is None


def test_a_folder_that_was_applied_to_is_not_taken_for_the_database_that_a_broken_spec_names(tmp_path: Path) -> None:
    spec = tmp_path / "mail.yaml"
    applied(spec, WHOLE + "storage: {path: state}\n")
    spec.write_text(NO_YAML + "storage: {path: state, database: env/MAIL_DATABASE}\n")
    assert find_storage(spec).storage is None


def test_a_spec_that_is_yaml_still_says_itself_where_its_storage_is(tmp_path: Path) -> None:
    spec = tmp_path / "mail.yaml"
    folder = applied(spec, IN_DATABASE)
    spec.write_text("storage: {path: state}\nnonsense: 1\n")
    assert find_storage(spec).storage == StoreAddress(folder=folder)


def test_what_was_kept_by_another_program_is_passed_over(tmp_path: Path) -> None:
    spec = tmp_path / "mail.yaml"
    folder = applied(spec, IN_DATABASE)
    (folder / "spec" / "applied.json").write_text('{"bundle": {"other": 1}}')
    spec.write_text(NO_YAML + "storage: {path: state}\n")
    assert find_storage(spec).storage == StoreAddress(folder=folder)
