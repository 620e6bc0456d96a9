"""The engine that a test's mail lies on: which tests run on which, and stores of the one that a test runs on.

Where tests run on both, PostgreSQL is told by the variable DATABASE, so that programs they start find it too.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from mailstack.model.instant import Clock
from mailstack.ports.bus import Bus
from mailstack.ports.store import Store
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store as open_on_postgres
from mailstack.store.sql.row_blobs import RowBlobs
from mailstack.store.sqlite.open import open_store as open_on_sqlite

Size = TypeVar("Size", int, float)
SQLITE, POSTGRES = "sqlite", "postgres"
DATABASE = "MAILSTACK_TEST_DATABASE"
"""The variable with the URL of the database that holds the mail, where no folder does."""
REFERENCE = f"env/{DATABASE}"

ON_BOTH = (
    "tests/scenarios/",
    "tests/servers/admin/test_any_forms.py",
    "tests/servers/imap/",
    "tests/servers/jmap/test_followed.py",
    "tests/servers/jmap/test_any_calls.py",
    "tests/servers/smtp/test_durable.py",
)
ON_ONE: Mapping[str, str] = {
    "tests/scenarios/test_admin_accessible.py": "how pages look, whatever they were read from",
    "tests/scenarios/test_admin_by_hand.py": "tests/contract has the queue and bans on both",
    "tests/scenarios/test_admin_edits.py": "what is written are files",
    "tests/scenarios/test_apply_killed.py::test_a_first": "the engine's part is in the change that is killed",
    "tests/scenarios/test_apply_killed.py::test_a_zone": "the zone's server is what is left halfway",
    "tests/scenarios/test_apply_killed.py::test_in_the_middle": "the zone's server is what is left halfway",
    "tests/scenarios/test_apply_killed.py::test_within_the_transaction": "ended between two of SQLite's statements;"
    " PostgreSQL itself undoes what its client did not commit",
    "tests/scenarios/test_backup_mx.py": "what waits is the queue's, which the others show on both",
    "tests/scenarios/test_bucket.py": "large messages are objects with PostgreSQL only",
    "tests/scenarios/test_certificates.py::test_a_": "the engine's part is the leases and proofs of the orders there",
    "tests/scenarios/test_certificates.py::test_an_apply_in": "as above",
    "tests/scenarios/test_certificates.py::test_an_apply_proves": "the proof is in DNS",
    "tests/scenarios/test_certificates.py::test_an_apply_without": "as above",
    "tests/scenarios/test_certificates.py::test_files": "the certificate comes from files",
    "tests/scenarios/test_certificates.py::test_sessions": "listeners take a certificate from their generation",
    "tests/scenarios/test_certificates.py::test_what_cannot": "the authority refuses, whatever the engine",
    "tests/scenarios/test_descriptors.py": "the accept loop comes before the store",
    "tests/scenarios/test_dkim_life.py::test_a_": "the state is in memory",
    "tests/scenarios/test_dkim_life.py::test_one_": "the state is in memory",
    "tests/scenarios/test_dns_bind.py": "the state is in memory",
    "tests/scenarios/test_dns_damage.py": "the state is in memory",
    "tests/scenarios/test_database_faults.py": "the database is PostgreSQL's; tests/store/sqlite has its files'",
    "tests/scenarios/test_filters.py::test_a_script": "the engine's part is the generation, which others show",
    "tests/scenarios/test_forwards.py": "what goes on waits in the queue, which the others show on both",
    "tests/scenarios/test_gate.py": "tests/contract has bans and what greylisting remembers on both",
    "tests/scenarios/test_hot_reload.py::test_a_spec": "a spec with faults reaches no store",
    "tests/scenarios/test_idle_nodes.py": "many nodes are on PostgreSQL only",
    "tests/scenarios/test_jmap.py": "what answers there reads no mail",
    "tests/scenarios/test_kill.py::test_a_killed_worker": "of processes; the test beside it has the mail",
    "tests/scenarios/test_kill.py::test_workers_end": "of processes; test_on_postgres has a server that is killed",
    "tests/scenarios/test_mail_peers.py": "what the client sends comes out of no store",
    "tests/scenarios/test_metrics.py::test_a_database": "the database is PostgreSQL's",
    "tests/scenarios/test_mta_sts.py": "tests/contract has what is known of policies on both",
    "tests/scenarios/test_node_drills.py": "many nodes are on PostgreSQL only",
    "tests/scenarios/test_nodes.py": "many nodes are on PostgreSQL only",
    "tests/scenarios/test_on_postgres.py": "what the other scenarios do not show of PostgreSQL",
    "tests/scenarios/test_spam_decided.py": "what is decided comes before the store",
    "tests/scenarios/test_spam_asked.py": "whom it asks comes before the store",
    "tests/scenarios/test_suppression.py": "tests/contract has what is known of addresses on both",
    "tests/scenarios/test_upgrade.py": "between two programs, whatever they keep mail in",
    "tests/scenarios/test_known_senders.py": "tests/contract has what is known of senders on both",
    "tests/scenarios/test_lmtp_socket.py": "of sockets; what comes in is stored as by any other listener",
    "tests/scenarios/test_ways_out.py": "tests/contract has what a relay put off, and the days of a warm-up, on both",
    "tests/scenarios/test_ways_to_postgres.py": "the ways are PostgreSQL's",
    "tests/scenarios/test_slow_and_full.py": "the database is PostgreSQL's; tests/store/sqlite has its files'",
    "tests/scenarios/test_remote.py::test_a_token": "of a token; tests/contract/test_tokens has the engine's part",
    "tests/scenarios/test_remote.py::test_an_expired": "as above",
    "tests/scenarios/test_remote.py::test_what_is_not": "as above",
    "tests/scenarios/test_remote_serve.py": "test_on_postgres has a start without the secrets of what it serves",
    "tests/scenarios/test_spam_learning.py::test_what": "tests/contract has what waits to be learned on both",
    "tests/scenarios/test_spam_learning.py::test_a_trained": "tests/contract has the models on both",
    "tests/scenarios/test_sources.py": "tests/contract has what an attempt left from on both",
    "tests/scenarios/test_spec_tests.py": "whom an address is, tests/contract/test_accounts asks both",
    "tests/scenarios/test_refusals.py": "refused before anything is kept; tests/contract has quotas on both",
    "tests/scenarios/test_resolvers.py": "a generation's resolver has no store",
    "tests/scenarios/test_outages.py::test_a_disk": "the database is PostgreSQL's; tests/store/sqlite has its files'",
    "tests/scenarios/test_storage_copy.py": "goes from one engine to the other itself",
    "tests/scenarios/test_webmail_accessible.py": "how pages look, whatever they were read from",
    "tests/scenarios/test_webmail_composing.py": "test_webmail_sending has what is sent on both",
    "tests/scenarios/test_webmail_connection.py": "what a browser does without a server",
    "tests/scenarios/test_webmail_hostile.py": "what is shown, whatever it was read from",
    "tests/scenarios/test_webmail_long.py": "tests/servers/jmap has long lists on both",
    "tests/scenarios/test_webmail_mailboxes.py": "tests/servers/jmap has what is asked for on both",
    "tests/scenarios/test_webmail_moving.py": "test_webmail moves a message on both",
    "tests/scenarios/test_webmail_pictures.py": "what is fetched comes from elsewhere",
    "tests/scenarios/test_webmail_search.py": "tests/contract searches on both",
    "tests/scenarios/test_webmail_settings.py": "tests/contract has what is set on both",
    "tests/scenarios/test_webmail_writing.py": "test_webmail_sending has what is sent on both",
    "tests/servers/imap/test_damage.py::test_a_damaged": "spoils SQLite's file",
    "tests/servers/imap/test_fetch.py::test_a_damaged": "spoils SQLite's file",
    "tests/servers/imap/test_fetch_bounds.py": "what a server holds of an answer; so many messages are dear to store",
    "tests/servers/imap/test_hostile.py": "strangers are stopped before they reach a store",
    "tests/servers/imap/test_sharing.py::test_an_owner_who_cannot_be_read": "spoils SQLite's file",
    "tests/servers/imap/test_damage.py::test_what_is_intact": "spoils SQLite's file",
}
"""Of these the ones that do not, by the start of their names, and why."""


def engines_of(test: str) -> tuple[str, ...]:
    """test: its node id. None where it is not a matter of engines."""
    if not test.startswith(ON_BOTH) or test.startswith(tuple(ON_ONE)):
        return ()
    return SQLITE, POSTGRES


def is_on_postgres() -> bool:
    return DATABASE in os.environ


def size(on_sqlite: Size, *, on_postgres: Size) -> Size:
    """Of a load that only has to be large on one of them."""
    return on_postgres if is_on_postgres() else on_sqlite


def storage(path: str = "state") -> Mapping[str, str]:
    """Of a spec."""
    return {"path": path, "database": REFERENCE} if is_on_postgres() else {"path": path}


def storage_section(path: str = "state") -> str:
    return f"storage: {json.dumps(storage(path))}"


async def open_store(folder: Path, *, clock: Clock, bus: Bus, read_only: bool = False) -> Store:
    """As app.stores does it, with the parts that a test chooses."""
    url = os.environ.get(DATABASE)
    if url is None:
        return await open_on_sqlite(folder, clock=clock, bus=bus, read_only=read_only)
    blobs = RowBlobs(folder.parent)
    return await open_on_postgres(address_of(url), blobs=blobs, clock=clock, bus=bus, read_only=read_only)
