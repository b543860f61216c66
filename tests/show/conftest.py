"""What the tests of the views share."""

import pytest

from tests.show.scene import Scene, play


@pytest.fixture(scope="module")
def ipi() -> Scene:
    """One IPI, not yet ended; to be looked at only."""
    return play()
