"""What is found wrong after loading still has its place."""

from pathlib import Path

from mailstack.spec.load import load_spec

SPEC = """\
include: [more/*.yaml]
server: {hostname: mail.example.com}
domains: {example.com: }
accounts:
  Alice@EXAMPLE.com:
    password: env/ALICE
relays: {r: {host: relay.example, username: env/U, password: file/p}}
"""


def test_places_by_the_names_that_models_give(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "bob.yaml").write_text("accounts:\n  bob@example.com: {password: file/bob}\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    loaded = load_spec(tmp_path / "spec.yaml")
    found = [
        loaded.fault(path, "gone")
        for path in (
            ("accounts", "alice@example.com", "password"),
            ("accounts", "bob@example.com", "password"),
            ("relays", "r", "password"),
            ("dns", "providers", "made up", "class"),
        )
    ]
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in found] == [
        "spec.yaml:6:15: accounts[Alice@EXAMPLE.com].password: gone",
        "more/bob.yaml:2:31: accounts[bob@example.com].password: gone",
        "spec.yaml:7:62: relays.r.password: gone",
        "spec.yaml:1:1: dns.providers[made up].class: gone",
    ]
