"""Results as plain JSON, for programs: what `mailstack test --format json` prints. Pure."""

from collections.abc import Sequence

from mailstack.app.spec_tests.result import Outcome, Result, count


def document(results: Sequence[Result], spec_name: str) -> dict[str, object]:
    return {
        "spec": spec_name,
        "passed": count(results, Outcome.PASSED),
        "failed": count(results, Outcome.FAILED),
        "errors": count(results, Outcome.ERROR),
        "duration_s": round(sum(result.duration_s for result in results), 6),
        "tests": [_test(result) for result in results],
    }


def _test(result: Result) -> dict[str, object]:
    return {
        "name": result.name,
        "outcome": result.outcome.value,
        "file": result.place.file,
        "line": result.place.line,
        "column": result.place.column,
        "duration_s": round(result.duration_s, 6),
        "differences": [
            {"what": item.what, "expected": item.expected, "found": item.found} for item in result.differences
        ],
        "story": [{"said": step.said, "answer": step.answer, "directory": list(step.notes)} for step in result.story],
        "trouble": result.trouble,
    }
