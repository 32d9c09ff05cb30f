"""What is said of quotas that could not be met."""

import numpy as np

from landstep.emulator.quota_report import QuotaReport, worst_of

NONE = np.zeros(3, np.int64)


def test_a_step_that_met_its_quotas_has_nothing_to_say():
    assert QuotaReport(NONE, NONE, 0, 0).text() == ""
    assert worst_of([QuotaReport(NONE, NONE, 0, 0)] * 3) == "" == worst_of([])


def test_a_miss_is_told_in_km2():
    """2.5e9 units of 0.001 m2 are 2.5 km2."""
    report = QuotaReport(NONE, NONE, 4, 2_500_000_000)
    assert report.text() == "4 coarse cells could not meet a quota, by up to 2.5 km2"


def test_a_run_tells_its_worst():
    met, some = QuotaReport(NONE, NONE, 0, 0), QuotaReport(NONE, NONE, 4, 1_000_000_000)
    many = QuotaReport(NONE, NONE, 7, 500_000_000)
    assert worst_of([met, some, many]) == (
        "quotas that could not be met: in 2 of 3 years, at most 7 coarse cells in one, by up to "
        "1 km2"
    )
