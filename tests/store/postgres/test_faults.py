"""What PostgreSQL answers, in the domain's words."""

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.store.postgres.faults import fault_of


@pytest.mark.parametrize("code", ["42501", "25006", "53100", "53300", "57014", "58030"])
def test_what_an_administrator_can_mend_keeps_mail_waiting_and_bounces_none(code: str) -> None:
    fault = fault_of(code, "permission denied for table blob", "the database")
    assert isinstance(fault, TryAgainLater)
    assert "the database" in fault.detail
