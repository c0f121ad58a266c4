"""What tests of reports share."""

from typing import Any

import pytest

from reports.services import keeping


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes, whatever other processes of the tests do beside it: while somebody does, what may be new is looked at
    again.
    """
    last_ids = keeping._last_ids

    def as_if_alone(cursor: Any) -> tuple[dict[str, int], tuple[int, int]]:
        found, (_, following) = last_ids(cursor)
        return found, (following, following)

    monkeypatch.setattr(keeping, "_last_ids", as_if_alone)
