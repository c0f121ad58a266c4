"""Which cases are played, and which of ours cannot be yet."""

import pytest

from tests.scenarios import case_files
from tests.scenarios.expectations import NotBuiltYet


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scenario" not in metafunc.fixturenames:
        return
    given = metafunc.config.getoption("--scenario-dir")
    folder = (metafunc.config.invocation_params.dir / given) if given else case_files.OWN_CASES
    cases = case_files.find_cases(folder) if folder.is_dir() else []
    if not cases:
        raise pytest.UsageError(f"{folder} holds no cases (*.yaml)")
    # A case of ours that waits for a word must wait for just that: another failure, or none, is news.
    waiting = {} if given else case_files.not_yet()
    metafunc.parametrize(
        "scenario",
        [
            pytest.param(
                path,
                id=path.stem,
                marks=[
                    pytest.mark.xfail(raises=NotBuiltYet, strict=True, reason=f"not built yet: {waiting[path.stem]}")
                ]
                if path.stem in waiting
                else [],
            )
            for path in cases
        ],
    )


@pytest.fixture
def own_cases(request: pytest.FixtureRequest) -> bool:
    """Whether the cases are the project's own, whose list of what is not built yet is strict."""
    return not request.config.getoption("--scenario-dir")
