"""What an applier in a process of its own does for a supervisor, for tests that stand in for one."""

from mailstack.app.apply_process import ApplyProcess
from mailstack.app.messages import Applied, Finished, Job


async def carried_out(job: Job) -> Finished:
    """Lets it go on after each answer. Raises SpecFaulty, ApplyBroken."""
    applying = ApplyProcess.start(job, user=None)
    try:
        await applying.loaded()
        applying.go()
        await applying.applied()
        while isinstance(answer := await applying.further(), Applied):
            pass
        return answer
    finally:
        await applying.end()
