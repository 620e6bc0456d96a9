"""Results as TAP version 14, with a YAML block for each test that did not pass. Pure. https://testanything.org"""

import json
from collections.abc import Iterator, Sequence

from mailstack.app.spec_tests.result import Outcome, Result


def tap(results: Sequence[Result]) -> str:
    lines = ["TAP version 14", f"1..{len(results)}"]
    for number, result in enumerate(results, 1):
        word = "ok" if result.outcome is Outcome.PASSED else "not ok"
        lines.append(f"{word} {number} - {_escaped(result.name)}")
        if result.outcome is not Outcome.PASSED:
            lines += ["  ---", *(f"  {line}" for line in _diagnosis(result)), "  ..."]
    return "\n".join(lines) + "\n"


def _diagnosis(result: Result) -> Iterator[str]:
    """YAML whose texts are JSON, which is YAML too, so that nothing in them can be taken for anything else."""
    yield f"severity: {'error' if result.outcome is Outcome.ERROR else 'fail'}"
    yield f"at: {_text(str(result.place))}"
    yield f"duration_ms: {result.duration_s * 1_000:.3f}"
    if result.differences:
        yield "differences:"
        yield from (f"  - {_text(str(difference))}" for difference in result.differences)
    if result.story:
        yield "story:"
    for step in result.story:
        yield f"  - said: {_text(step.said)}"
        yield f"    answer: {_text(step.answer)}"
        if step.notes:
            yield f"    directory: [{', '.join(map(_text, step.notes))}]"
    if result.trouble:
        yield f"trouble: {_text(result.trouble)}"


def _escaped(name: str) -> str:
    # TAP 14, "Escaping": a hash sign would begin a directive.
    return name.replace("\\", "\\\\").replace("#", "\\#")


def _text(text: str) -> str:
    return json.dumps(text)
