"""From a spec to records that the world sees, by the command line and a real BIND 9."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailstack.cli.main import cli
from tests.support.bind import running_bind
from tests.support.engines import storage

pytestmark = pytest.mark.slow

ZONE = "shop.test"
HEAD = """$TTL 300
@ IN SOA ns1 host 1 3600 600 604800 300
@ IN NS ns1
ns1 IN A 192.0.2.53
@ IN TXT "site-verification=1"
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_what_apply_publishes_check_finds_until_somebody_changes_it(tmp_path: Path) -> None:
    with running_bind(tmp_path, {ZONE: HEAD}) as bind:
        zone = {"provider": "bind", "ttl": 300, "nameservers": [f"127.0.0.1:{bind.port}"]}
        spec = tmp_path / "mailstack.yaml"
        spec.write_text(
            json.dumps(
                {
                    "server": {"hostname": f"mail.{ZONE}", "addresses": ["192.0.2.25"]},
                    "storage": storage(),
                    "tls": {"dane": True},
                    "dns": {"providers": {"bind": bind.provider()}, "zones": {ZONE: zone}, "no_mail": [f"www.{ZONE}"]},
                    "domains": {ZONE: {"mta_sts": {"mode": "testing"}}},
                }
            ).replace(f'"{bind.secret}"', '"file/tsig"')
        )
        (tmp_path / "tsig").write_text(bind.secret)
        assert run("dns", "check", spec).exit_code == 2
        applied = run("apply", spec, "--yes")
        assert applied.exit_code == 0, applied.output
        found = run("dns", "check", spec, "--format", "json")
        assert {item["standing"] for item in json.loads(found.stdout)["records"]} == {"present"}
        assert found.exit_code == 0
        bind.add(ZONE, f"{ZONE}.", 300, "TXT", '"v=spf1 +all"')
        bind.replace(ZONE, f"_imaps._tcp.{ZONE}.", 300, "SRV")
        found = run("dns", "check", spec, "--format", "json")
        wrong = {
            item["name"]: item["told"] for item in json.loads(found.stdout)["records"] if item["standing"] != "present"
        }
        server = f"127.0.0.1:{bind.port}"
        assert wrong == {
            ZONE: f"also there: v=spf1 +all ({server})",
            f"_imaps._tcp.{ZONE}": f"not there ({server})",
        }
        assert found.exit_code == 2
        assert run("dns", "plan", spec).exit_code == 2
        # The second SPF record is somebody else's: only what is ours is put right.
        assert run("dns", "apply", spec, "--yes").exit_code == 0
        assert run("dns", "check", spec).exit_code == 2
        assert (f"_imaps._tcp.{ZONE}", "SRV") in bind.records(ZONE)
