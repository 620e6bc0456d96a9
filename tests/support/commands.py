"""The program's commands, run in this process: one of its own takes more than a second to begin.

For what is asked beside what a test is about; `serve` and `sandbox` want processes of their own.
"""

from subprocess import CompletedProcess

from click.testing import CliRunner

from mailstack.cli.main import cli


def run_command(*arguments: str, given: str = "", **environment: str) -> CompletedProcess[bytes]:
    """As `mailstack` would end. given: its standard input. Raises what the program would call an internal error."""
    done = CliRunner(catch_exceptions=False).invoke(cli, arguments, input=given, env=environment, prog_name="mailstack")
    return CompletedProcess(arguments, done.exit_code, done.stdout_bytes, done.stderr_bytes)
