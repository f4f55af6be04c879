"""A browser for the tests that look at pages in one."""

import pytest

from explorer.browser import opened_browser


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as found:
        yield found
