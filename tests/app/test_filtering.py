"""The scripts of a spec, as delivery has them."""

from pathlib import Path

from mailstack.app.filtering import server_scripts
from mailstack.app.spec_tests.bed import make_bed
from mailstack.services.inbound.filter.shelf import NamedScript
from mailstack.spec.load import load_spec

SPEC = """\
server: {hostname: mail.example.com}
domains: {example.com: }
"""
SIEVE = """\
sieve: {before: [{file: a.sieve}, {file: b.sieve}], after: [{file: c.sieve}], global: {shared: {file: d.sieve}}}
"""


async def test_a_spec_without_scripts_has_none(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    found = server_scripts((await make_bed(load_spec(path))).blueprint.sieve)
    assert (found.before, found.after, found.named) == ((), (), {})


async def test_scripts_run_in_the_order_of_the_spec(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC + SIEVE)
    for name in "abcd":
        (tmp_path / f"{name}.sieve").write_text(f"# {name} ü\nkeep;\n")
    found = server_scripts((await make_bed(load_spec(path))).blueprint.sieve)
    content = {name: f"# {name} ü\nkeep;\n".encode() for name in "abcd"}
    assert [*found.before, *found.after] == [NamedScript(name=f"{name}.sieve", content=content[name]) for name in "abc"]
    assert found.named == {"shared": content["d"]}
