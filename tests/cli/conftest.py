"""What tests of commands share."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A command sends the log to its own standard error, which ends with the test."""
    yield
    structlog.reset_defaults()
