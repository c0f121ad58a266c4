"""What the database breaks off so that others can go on is tried again, and never shown."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError

P = ParamSpec("P")
R = TypeVar("R")

# serialization_failure, deadlock_detected
BROKEN_OFF = frozenset({"40001", "40P01"})
TIMES = 6


def retried(service: Callable[P, R]) -> Callable[P, R]:
    """For services that are one transaction: a deadlock or serialization failure is tried again, after a short wait.

    Above `transaction.atomic`. Inside another transaction the service's savepoint is rolled back, which frees what it held.
    """

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TIMES):
            try:
                return service(*args, **kwargs)
            except OperationalError as problem:
                if getattr(problem.__cause__, "pgcode", None) not in BROKEN_OFF:
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  spreads those that met apart
        return service(*args, **kwargs)

    return run
