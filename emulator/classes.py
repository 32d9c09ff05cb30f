"""Class schemes as data: the classes, their codes in files, what quotas bind, what never moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np

from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.groups import Forbidden, Group, number_of, read_groups, read_rule
from landstep.emulator.toml_file import parse_toml

MASKED = 255
"""Class number of a cell whose class is not known."""

OUTSIDE = 0
"""Class number, in every scheme, of what is not land (ocean, or outside the region). It is known
from the static mask even where nothing else is, so it is never masked."""


@dataclass(frozen=True)
class Scheme:
    """A list of classes; a class's number is its place in it, its code is what files hold.

    codes, names, long_names, colours : one entry a class
    fixed : True for a class whose cells never change and which no cell becomes
    variants : file variant -> {file code: class number}; a file's variant is always declared,
        because code 44 is "forest" in one HILDA+ product and "deciduous broadleaf" in another
    nodata : file codes that mean "not known"
    mix : forcing state -> {class name: share of that state}; "remainder" is 1 - sum of states
    groups : what quotas bind; a class of none of them is unbound and takes up the rest
    rules : changes that never happen, besides those of fixed classes
    """

    name: str
    codes: tuple[int, ...]
    names: tuple[str, ...]
    long_names: tuple[str, ...]
    colours: tuple[str, ...]
    fixed: tuple[bool, ...]
    variants: dict[str, dict[int, int]]
    nodata: tuple[int, ...]
    mix: dict[str, dict[str, float]]
    groups: tuple[Group, ...] = ()
    rules: tuple[Forbidden, ...] = ()

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.codes)

    @property
    def fixed_numbers(self) -> np.ndarray:
        """Class numbers that never move: uint8."""
        return np.flatnonzero(self.fixed).astype(np.uint8)

    @property
    def group_of(self) -> np.ndarray:
        """Group number of each class, -1 for the unbound: (n_classes,) int64."""
        of = np.full(self.n_classes, -1, np.int64)
        for number, group in enumerate(self.groups):
            of[[self.names.index(name) for name in group.classes]] = number
        return of

    @property
    def members(self) -> np.ndarray:
        """Classes of each group and, last, of the rest: (groups + 1, n_classes) float64, 0 or 1."""
        of = np.where(self.group_of < 0, len(self.groups), self.group_of)
        return (np.arange(len(self.groups) + 1)[:, None] == of).astype(np.float64)

    @property
    def forbidden(self) -> np.ndarray:
        """Changes that never happen, forward in time: (n_classes, n_classes) bool [from, to].

        Fixed classes only stay, and no other class becomes one; the rest is the table's.
        """
        fixed = np.array(self.fixed)
        never = fixed[:, None] | fixed[None, :]
        for rule in self.rules:
            after = [self.names.index(name) for name in rule.after]
            never[self.names.index(rule.before), after] = True
        np.fill_diagonal(never, False)
        return never

    def movable(self, direction: int) -> np.ndarray:
        """Changes that a step may make: (n_classes, n_classes) bool [from, to], staying included.

        direction : 1 forward in time, -1 backward, where "from" is the later year's class
        Raises ConfigError for any other direction.
        """
        if direction not in (1, -1):
            raise ConfigError(
                f"scheme {self.name}: direction {direction!r}, expected 1 (forward in time) or -1"
            )
        allowed = ~self.forbidden
        return allowed if direction == 1 else np.ascontiguousarray(allowed.T)

    def group_matrix(self, states: Sequence[str]) -> np.ndarray:
        """Which forcing states make up each group.

        states : F names, in the forcing's order; those of no group bind nothing
        returns : (groups, F) float64, 0 or 1; times the fractions of the states it is the area that
            each group has, as a share of the coarse cell
        Raises ConfigError for a group none of whose states the forcing has.
        """
        matrix = np.array(
            [[float(state in group.states) for state in states] for group in self.groups],
            np.float64,
        ).reshape(len(self.groups), len(states))
        for group, row in zip(self.groups, matrix, strict=True):
            if not row.any():
                raise ConfigError(
                    f"scheme {self.name}: group {group.name!r} follows {list(group.states)}, of "
                    f"which the forcing has none; it has {list(states)}"
                )
        return matrix

    def numbers_from_codes(
        self, codes: np.ndarray, variant: str, where: str, origin: tuple[int, ...] | None = None
    ) -> np.ndarray:
        """Class numbers of a file's codes.

        codes : any shape, integer
        variant : the file's declared code list, a key of `variants`
        where : file and year, for the message; origin : the file's place of the first code
        returns : same shape, uint8, 0 .. n_classes - 1, or MASKED where the code means no data
        Raises InputError naming the first code that the variant lacks; ConfigError for a variant
        that the scheme lacks.
        """
        if variant not in self.variants:
            raise ConfigError(
                f"{where}: variant {variant!r} is not one of scheme {self.name}'s "
                f"{sorted(self.variants)}; say which product the file is"
            )
        if not np.issubdtype(codes.dtype, np.integer):
            raise InputError(f"{where}: codes are {codes.dtype}, expected whole numbers")
        outside = (codes < 0) | (codes > 255)
        if outside.any():
            self._refuse(codes, outside, variant, where, origin)
        table = np.full(256, -1, np.int16)
        table[list(self.nodata)] = MASKED
        for code, number in self.variants[variant].items():
            table[code] = number
        numbers = table[codes.astype(np.uint8, copy=False)]
        unknown = numbers < 0
        if unknown.any():
            self._refuse(codes, unknown, variant, where, origin)
        return numbers.astype(np.uint8)

    def _refuse(
        self,
        codes: np.ndarray,
        wrong: np.ndarray,
        variant: str,
        where: str,
        origin: tuple[int, ...] | None,
    ) -> None:
        place = first_place(wrong)
        known = sorted(self.variants[variant])
        raise InputError(
            f"{where}: code {int(codes[place])} at cell {first_place(wrong, origin)} is not in "
            f"scheme {self.name}, variant {variant!r} ({int(wrong.sum())} such cells); "
            f"it has {known}, no data {list(self.nodata)}. Is the variant right? "
            f"The scheme knows {sorted(self.variants)}"
        )

    def codes_from_numbers(self, numbers: np.ndarray) -> np.ndarray:
        """Codes of class numbers: uint8, the same shape; MASKED stays 255.

        Raises InputError for a number that is neither a class nor MASKED.
        """
        table = np.full(256, -1, np.int16)
        table[: self.n_classes] = self.codes
        table[MASKED] = MASKED
        codes = table[numbers]
        if (codes < 0).any():
            place = tuple(int(i) for i in np.argwhere(codes < 0)[0])
            raise InputError(
                f"class number {int(numbers[place])} at cell {place}; scheme {self.name} has "
                f"0 to {self.n_classes - 1}, and {MASKED} for unknown"
            )
        return codes.astype(np.uint8)

    def mix_matrix(self, states: Sequence[str]) -> np.ndarray:
        """Class mix of each forcing state.

        states : F names, in the forcing's order
        returns : (F + 1, n_classes) float32, rows sum to 1; the last row is the remainder's
        Raises ConfigError for a state that the scheme's `mix` table lacks.
        """
        matrix = np.zeros((len(states) + 1, self.n_classes), np.float32)
        for row, state in enumerate([*states, "remainder"]):
            if state not in self.mix:
                raise ConfigError(
                    f"scheme {self.name}: no class mix for forcing state {state!r}; "
                    f"its table has {sorted(self.mix)}"
                )
            for name, share in self.mix[state].items():
                matrix[row, self.names.index(name)] = share
        return matrix


def first_place(wrong: np.ndarray, origin: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Where the first True of an array lies; `origin` is the place of the array's first cell."""
    at = np.argwhere(wrong)[0] + (0 if origin is None else np.array(origin))
    return tuple(int(i) for i in at)


def scheme_names() -> list[str]:
    """Names of the schemes that come with the package."""
    folder = resources.files("landstep.emulator") / "schemes"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


@lru_cache
def scheme(name: str) -> Scheme:
    """Read the scheme of that name from the package's tables.

    Raises ConfigError where there is none of that name, or its table contradicts itself.
    """
    if name not in scheme_names():
        raise ConfigError(f"class scheme {name!r} is not known; there are {scheme_names()}")
    text = (resources.files("landstep.emulator") / "schemes" / f"{name}.toml").read_text("utf-8")
    return parse_scheme(name, text)


def parse_scheme(name: str, text: str) -> Scheme:
    """Build a scheme from the text of its TOML table; ConfigError where it contradicts itself."""
    table = parse_toml(text, f"scheme {name}")
    classes = table["class"]
    names = tuple(c["name"] for c in classes)
    codes = tuple(int(c["code"]) for c in classes)
    if len(set(names)) != len(names) or len(set(codes)) != len(codes):
        raise ConfigError(f"scheme {name}: a class name or code stands twice")
    variants = {
        variant: {int(code): number_of(name, names, of) for code, of in rows.items()}
        for variant, rows in table["variant"].items()
    }
    mix = {state: dict(shares) for state, shares in table["mix"].items()}
    for state, shares in mix.items():
        for of in shares:
            number_of(name, names, of)
        if abs(sum(shares.values()) - 1) > 1e-9:
            raise ConfigError(
                f"scheme {name}: shares of {state!r} sum to {sum(shares.values())}, expected 1"
            )
    if not classes[OUTSIDE].get("fixed", False):
        raise ConfigError(
            f"scheme {name}: class {OUTSIDE}, {names[OUTSIDE]!r}, is not land: it must be fixed"
        )
    fixed = {c["name"] for c in classes if c.get("fixed", False)}
    return Scheme(
        name=name,
        codes=codes,
        names=names,
        long_names=tuple(c["long_name"] for c in classes),
        colours=tuple(c["colour"] for c in classes),
        fixed=tuple(bool(c.get("fixed", False)) for c in classes),
        variants=variants,
        nodata=tuple(int(code) for code in table["nodata"]),
        mix=mix,
        groups=read_groups(name, table.get("group", []), names, fixed, set(mix) - {"remainder"}),
        rules=tuple(read_rule(name, row, names) for row in table.get("forbidden", [])),
    )
