"""vnd.dovecot.debug, vnd.dovecot.environment and vnd.dovecot.report."""

import pytest

from mailstack.sieve.actions import FileInto, Keep, Report
from mailstack.sieve.limits import Limits
from mailstack.sieve.run import Traced
from tests.support.sieve import done, faults, holds, outcome

KEPT = Keep(is_implicit=True)
ENVIRONMENT = {"name": "mailstack", "vnd.dovecot.username": "alice", "vnd.dovecot.default-mailbox": "INBOX"}


def test_what_is_logged_is_in_the_trace() -> None:
    script = 'require ["vnd.dovecot.debug", "variables"];\nset "a" "b";\nif true { debug_log "a is ${a}"; }'
    found = outcome(script)
    assert found.trace == (Traced(3, "a is b"),)
    assert found.actions == (KEPT,)


def test_not_more_is_logged_than_anybody_reads() -> None:
    script = 'require "vnd.dovecot.debug";' + 'debug_log "12345";' * 10
    assert len(outcome(script, limits=Limits(logged_characters=19)).trace) == 3


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('environment "vnd.dovecot.username" "alice"', True),
        ('environment :contains "vnd.dovecot.config.none" ""', False),
        ('string "${env.vnd.dovecot.default_mailbox}" "INBOX"', True),
        ('string "${ENV.vnd.dovecot.Username}/${env.name}" "alice/mailstack"', True),
        ('string "${env.vnd.dovecot.none}" ""', True),
    ],
)
def test_items(test: str, expected: bool) -> None:
    script = f'require ["vnd.dovecot.environment", "variables"]; {test}'
    assert holds(script, environment=ENVIRONMENT) is expected


def test_items_are_not_set() -> None:
    (fault,) = faults('require ["vnd.dovecot.environment", "variables"]; set "env.name" "a";')
    assert "is no name of a variable" in fault


def test_without_the_extension_they_are_no_variables() -> None:
    (fault,) = faults('require ["environment", "variables", "fileinto"]; fileinto "${env.name}";')
    assert "no namespace 'env'" in fault


@pytest.mark.parametrize(
    ("script", "actions"),
    [
        (
            'report "abuse" "spam" "a@b.example";',
            [Report(feedback_type="abuse", message="spam", address="a@b.example")],
        ),
        (
            'set "a" "Fraud"; report :headers_only "${a}" "x" "Desk <a@B.example>";',
            [Report(feedback_type="fraud", message="x", address="a@b.example", has_body=False)],
        ),
        # One for each type and address, the first.
        (
            'report "abuse" "1" "a@b.example"; report :headers_only "ABUSE" "2" "a@b.example";'
            'report "x" "3" "a@b.example";',
            [
                Report(feedback_type="abuse", message="1", address="a@b.example"),
                Report(feedback_type="x", message="3", address="a@b.example"),
            ],
        ),
    ],
)
def test_reports_leave_the_mail_where_it_goes(script: str, actions: list[Report]) -> None:
    require = 'require ["vnd.dovecot.report", "variables", "fileinto"];'
    assert done(f"{require} {script}") == [*actions, KEPT]
    assert done(f'{require} {script} fileinto "A";') == [*actions, FileInto(mailbox="A")]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('report "a b" "x" "a@b.example";', "no type of feedback"),
        ('report "" "x" "a@b.example";', "no type of feedback"),
        ('report "abuse" "x" "a";', "no address of one mailbox"),
        ('report "abuse" "x";', "requires 3 positional arguments"),
        ('report :short "abuse" "x" "a@b.example";', "unknown tagged argument ':short'"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(f'require "vnd.dovecot.report"; {script}')
    assert says in fault


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('set "a" "a b"; report "${a}" "x" "a@b.example";', "no type of feedback"),
        ('set "a" "a"; report "abuse" "x" "${a}";', "no address of one mailbox"),
        (
            "".join(f'report "abuse" "x" "a{number}@b.example";' for number in range(9)),
            "more than 8 report actions",
        ),
    ],
)
def test_faults_of_runs(script: str, says: str) -> None:
    found = outcome(f'require ["vnd.dovecot.report", "variables"]; {script}')
    assert says in found.fault
    assert found.actions == (KEPT,)
