"""With `CI=true` a test that is skipped has failed: there, everything it may need can be had.

Hooks of pytest, which `conftest.py` takes over. What lies beside a checkout and is no part of it
may be absent, on CI too.
"""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

NO_SHARED_MATERIAL = "no shared material beside the checkout"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _failed_if_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """For files that are skipped as a whole."""
    report = yield
    return _failed_if_skipped(report)


def _failed_if_skipped(report: Report) -> Report:
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        *_, reason = report.longrepr  # type: ignore[misc]
        reason = str(reason).removeprefix("Skipped: ")
        if reason != NO_SHARED_MATERIAL:
            report.outcome = "failed"
            report.longrepr = f"skipped, which CI does not allow: {reason}"
    return report
