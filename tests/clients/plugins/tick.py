"""What the suites need of time and chance, so that they fail for reasons of the server's only.

Two tests that inject versions of constants key them by whole seconds: they must not run within the
same one. One compares two clock readings by the second. Numbers that tests draw may be those of
rows that are there (runs 1 and 2): each test draws the same numbers in every run.
"""

import random
import time

APART = 2.1


def pytest_configure():
    random.seed("collected")


def pytest_runtest_setup(item):
    random.seed(item.nodeid)
    if "inject" in item.name or "create_calibration_constant_version" in item.name:
        time.sleep(APART)
    if item.name == "test_get_formatted_date":
        time.sleep(1.02 - time.time() % 1)
