"""Whether a NetCDF file is one of a host's, and in which land-cover classes it counts."""

from __future__ import annotations

import numpy as np

from landstep.coupling.host_files.layout import Layout
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile


def check_is_of(file: NetcdfFile, layout: Layout) -> None:
    """Refuse another host's file: InputError naming all that it lacks.

    Of several variables of one field it is enough to have one.
    """
    names = file.names()
    has = {table.field for table in layout.variables if table.name in names}
    required = [table for table in layout.variables if table.required and table.field not in has]
    missing = [table.name for table in required]
    if missing:
        shown = names if len(names) <= 12 else [*names[:12], "..."]
        raise InputError(
            f"{file.path.name}: lacks {', '.join(missing)}, which {layout.long_name} holds; it has "
            f"{', '.join(shown)}; is it another host's file?"
        )


def in_its_classes(file: NetcdfFile, layout: Layout) -> Layout:
    """Return the layout with the host table of the classes that a file counts in.

    Raises InputError for classes of which landstep has no table, or whose number of water, town or
    ice is another than in the table.
    """
    classes = layout.classes
    if classes is None:
        return layout
    found = str(file.attrs().get(classes.attribute, "")).strip().strip("\0")
    legend = next((of for of in classes.legends if found in of.names), None)
    if legend is None:
        known = [name for of in classes.legends for name in of.names]
        raise InputError(
            f"{file.path.name}: attribute {classes.attribute} is {found!r}, expected one of "
            f"{known}: {classes.advice}"
        )
    for attribute, number in legend.numbers.items():
        given = file.attrs().get(attribute, number)
        if np.ndim(given) or not np.isin(given, [number]):
            raise InputError(
                f"{file.path.name}: attribute {attribute} is {given}, expected {number}, as in the "
                f"classes that {classes.attribute} names ({found}): {classes.advice}"
            )
    return layout.model_copy(update={"table": legend.table})
