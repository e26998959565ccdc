"""How `make test` runs the notebooks: quietly, at the smallest size, and not for ever."""

import os
import time
from collections import Counter

os.environ.setdefault("DREAMKIT_PROFILE", "ci")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.pop("MPLBACKEND", None)  # the kernel draws inline, whatever the tests draw on

START = time.monotonic()
LIMIT = float(os.environ.get("DREAMKIT_NOTEBOOKS_LIMIT", 1200))  # seconds, all notebooks together
SPENT = Counter()


def pytest_collectstart(collector):
    """Leave stderr out of what is compared: TensorFlow's log comes as it pleases."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)


def pytest_runtest_logreport(report):
    """Add up the seconds of each notebook."""
    SPENT[report.nodeid.split("::")[0]] += report.duration


def pytest_runtest_teardown(item):
    """Stop the whole run when it takes too long; one cell is stopped by --nbval-cell-timeout."""
    if time.monotonic() - START > LIMIT:
        item.session.shouldfail = f"the notebooks took more than {LIMIT:.0f} s"


def pytest_terminal_summary(terminalreporter):
    """Tell how long each notebook took."""
    terminalreporter.section("seconds for each notebook")
    for name, seconds in SPENT.items():
        terminalreporter.line(f"{seconds:6.1f}  {name}")
    terminalreporter.line(f"{sum(SPENT.values()):6.1f}  in all")
