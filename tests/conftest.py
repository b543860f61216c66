"""Settings that hold for all tests."""

import os

from hypothesis import settings

# CI draws the same examples every time, so that a red run can be repeated; at a desk each run tries new ones.
# No deadline: on a loaded machine it would fail tests for being slow, and speed is the benchmarks' business.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
