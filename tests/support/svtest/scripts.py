"""Scripts that a file of the dialect runs, one or several, and what becomes of their results."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.sieve.actions import Keep, Reject
from mailstack.sieve.entity import Entity
from mailstack.sieve.facts import Wanted
from mailstack.sieve.run import Run, Script
from mailstack.sieve.run import run as run_over
from tests.support.svtest.world import Facts, World


def run_script(world: World, run: Run, script: Script) -> bool:
    """Adds what the script does to the result of the file's own run. False for one that fails."""
    found = run_over(script, replace(run.mail, flags=run.flags), Facts(world), limits=world.settings.limits)
    assert not isinstance(found, Wanted), found
    world.errors = [found.fault] if found.fault else []
    if found.fault:
        # RFC 5228 §2.10.6: all that happens is the implicit keep.
        run.actions.clear()
        run.is_kept = True
        return False
    kept = next((one for one in found.actions if isinstance(one, Keep) and one.is_implicit), None)
    if kept is not None:
        # What it made of the mail is what the next one has, and what is kept in the end.
        run.flags = kept.flags or ()
        if kept.raw is not None:
            run.mail, run.message = replace(run.mail, raw=kept.raw), Entity(kept.raw)
    is_refused = any(isinstance(action, Reject) for action in run.actions)
    for action in found.actions:
        if action is not kept and action not in run.actions and not (is_refused and isinstance(action, Reject)):
            run.actions.append(action)
    run.is_kept = run.is_kept and kept is not None
    return True


def run_scripts(world: World, run: Run, names: Sequence[str]) -> bool:
    """One after the other, as long as the mail is kept because nothing else was done with it."""
    for name in names:
        script = world.compile(world.folder / name)
        if script is None or not run_script(world, run, script):
            return False
        if not run.is_kept:
            break
    return True
