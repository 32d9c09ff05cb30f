"""The tables of where hosts' files hold what."""

import pytest

from landstep.coupling.host_files.layout import layout_named, layout_names
from landstep.coupling.host_table import host_table
from landstep.emulator.errors import ConfigError

NAMES = ["ctsm", "ecland", "ifs", "jsbach", "jules", "noahmp", "speedy", "wrf"]


def test_there_is_a_layout_of_each_host():
    """Those of the command line."""
    assert layout_names() == NAMES


def tables(layout):
    """The host tables whose fields the files of a layout hold."""
    legends = [] if layout.classes is None else layout.classes.legends
    return [layout.table, *(legend.table for legend in legends)]


@pytest.mark.parametrize("name", NAMES)
def test_fields_of_a_layout_are_those_of_its_tables(name):
    """Each is a field, or the beginning of numbered ones; types are marked as such in both."""
    layout = layout_named(name)
    for table in tables(layout):
        fields = {field.name: field for field in host_table(table, ".").field}
        for variable in layout.variables:
            if variable.fields:
                assert set(variable.fields) <= fields.keys()
            elif variable.levels:
                start = f"{variable.field}_"
                numbered = {int(n.removeprefix(start)) for n in fields if n.startswith(start)}
                assert numbered
                if variable.numbers is None and not variable.others_stay:
                    first = variable.first
                    assert numbered == set(range(first, first + len(numbered)))
            else:
                assert variable.field in fields, variable.name
                assert variable.types == (fields[variable.field].rule == "type"), variable.name


def test_parameters_of_the_ifs_are_those_of_the_table():
    """Each written down twice, and the same."""
    table = host_table("ecland", ".")
    own = {f.name: f.attributes.get("paramId") for f in table.field}
    for variable in layout_named("ifs").variables:
        assert variable.parameter > 0
        if own[variable.field] is not None:
            assert variable.parameter == own[variable.field]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ifs"])
def test_variables_are_those_that_the_tables_name(name):
    """Noah-MP's LU_INDEX repeats IVGTYP."""
    layout = layout_named(name)
    for table in tables(layout):
        named = {f.attributes.get("variable") for f in host_table(table, ".").field}
        assert {v.name for v in layout.variables} - {"LU_INDEX"} <= named


def test_a_host_without_a_layout_is_refused():
    """With the one that was meant, or all."""
    with pytest.raises(ConfigError, match=r"no host file of 'noahmpp': did you mean 'noahmp'"):
        layout_named("noahmpp")
    with pytest.raises(ConfigError, match=r"no host file of 'x': there are \['ctsm', 'ecland'"):
        layout_named("x")
