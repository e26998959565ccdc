"""The browser that the tests of the playground share."""

import pytest
from browser import browser


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found
