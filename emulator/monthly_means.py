"""A year of a host's climate as it comes in: sums by month, and the means when the year is over."""

from __future__ import annotations

import numpy as np

from landstep.emulator.calendar import MONTH_NAMES
from landstep.emulator.errors import CouplingError, StepError
from landstep.emulator.host_values import VARIABLES, check_name


class MonthlyMeans:
    """Sums over the months of one year on a host's points; nothing but plain arrays.

    n_points : n; year : the calendar year that is filled
    first_month : 1..12, before which nothing is expected in this year: where the run began
    variables : (V,) int64, places in VARIABLES of what was put since the run began
    sums : (V, 12, n) float64, SI; counts : (V, 12) int64, how many values are in each
    The same values in the same order give the same bits, with or without a restart between.
    """

    def __init__(self, n_points: int, year: int, first_month: int = 1) -> None:
        """Begin with a year of which nothing is known."""
        self.n_points, self.year, self.first_month = n_points, year, first_month
        self.variables = np.zeros(0, np.int64)
        self.sums = np.zeros((0, 12, n_points), np.float64)
        self.counts = np.zeros((0, 12), np.int64)

    def add(self, name: str, month: int, values: np.ndarray) -> None:
        """Add a value of each point to a month.

        name : of VARIABLES; month : 1..12 of the year; values : (n,) float64, as `checked` gives
        Raises CouplingError for another name or size, StepError for a month that is none.
        """
        check_name(name)
        if values.shape != (self.n_points,):
            raise CouplingError(f"{name} has shape {values.shape}, expected {(self.n_points,)}")
        if not self.first_month <= month <= 12:
            raise StepError(
                f"{name} for month {month} of {self.year}, expected {self.first_month} to 12"
            )
        place = self._place(name)
        self.sums[place, month - 1] += values
        self.counts[place, month - 1] += 1

    def _place(self, name: str) -> int:
        """Row of a variable; a new one is put in after all others."""
        number = list(VARIABLES).index(name)
        at = np.flatnonzero(self.variables == number)
        if at.size:
            return int(at[0])
        self.variables = np.append(self.variables, number)
        self.sums = np.concatenate([self.sums, np.zeros((1, 12, self.n_points))])
        self.counts = np.concatenate([self.counts, np.zeros((1, 12), np.int64)])
        return len(self.variables) - 1

    def missing(self) -> dict[str, list[int]]:
        """Return name -> months (1..12) without a value, of variables that were put in this run."""
        found = {}
        for name, counts in zip(self.names, self.counts, strict=True):
            months = np.flatnonzero(counts[self.first_month - 1 :] == 0) + self.first_month
            if months.size:
                found[name] = months.tolist()
        return found

    @property
    def names(self) -> list[str]:
        """Names of what was put since the run began."""
        return [list(VARIABLES)[number] for number in self.variables]

    def year_means(self, *, may_lack_months: bool = False) -> dict[str, np.ndarray] | None:
        """Return the year's means, when it is over; `turn_year` then begins the next.

        may_lack_months : a month without a value is NaN, and no error
        returns : name -> (12, n) float64, January first; None where nothing was put since the run
            began, or the run began after January: such a year does not count
        Raises StepError naming each month that is missing of a variable that was put in this run.
        """
        missing = self.missing()
        if missing and not may_lack_months:
            words = [
                f"no {name} for {_listed([MONTH_NAMES[m - 1] for m in months])} of {self.year}"
                for name, months in missing.items()
            ]
            raise StepError(
                f"{'; '.join(words)}; call put in every month for what was put once, before the "
                "update that ends the month, or say what stands in: [coupling] missing_months = "
                '"reference" or "last_year"'
            )
        if not self.names or self.first_month > 1:
            return None
        means = self.sums / np.maximum(self.counts, 1)[:, :, None]
        means[self.counts == 0] = np.nan
        return dict(zip(self.names, means, strict=True))

    def turn_year(self) -> None:
        """Begin the next year: all months are empty, what was put once is expected again."""
        self.year, self.first_month = self.year + 1, 1
        self.sums = np.zeros_like(self.sums)
        self.counts = np.zeros_like(self.counts)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give all there is to keep: "when" (2,), "variables", "sums" (last axis: the points) and
        "counts".
        """
        when = np.array([self.year, self.first_month], np.int64)
        kept = {"variables": self.variables, "sums": self.sums, "counts": self.counts}
        return {"when": when} | {name: array.copy() for name, array in kept.items()}

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> MonthlyMeans:
        """Take up again from what `arrays` gave.

        Raises CouplingError where the arrays do not belong together.
        """
        sums, counts, variables = (arrays[name] for name in ("sums", "counts", "variables"))
        n = len(variables)
        fits = sums.shape[:-1] == (n, 12) and counts.shape == (n, 12) and sums.ndim == 3
        if not fits or not set(variables.tolist()) <= set(range(len(VARIABLES))):
            raise CouplingError(
                f"monthly means: variables {variables.tolist()}, sums {sums.shape}, counts "
                f"{counts.shape}; expected (V, 12, n) and (V, 12) of known variables"
            )
        of = cls(sums.shape[-1], int(arrays["when"][0]), int(arrays["when"][1]))
        of.variables = variables.astype(np.int64)
        of.sums, of.counts = sums.astype(np.float64), counts.astype(np.int64)
        return of


def _listed(words: list[str]) -> str:
    """Put words into one text: "March", "March and April"."""
    return " and ".join([", ".join(words[:-1])] * (len(words) > 1) + words[-1:])
