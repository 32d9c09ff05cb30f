"""Write the C source behind liblandstep: cffi's embedding code around start.c. Run by CMake.

What crosses to Python is declared from landstep.h, so that the header is the only place where the
interface is written down.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

IN_C_ALONE = ("landstep_abi", "landstep_version", "landstep_last_error")
FAIL = "int landstep_fail(int status, const char *text)"
INIT_CODE = """
from _landstep_embed import ffi, lib
from landstep.coupling.bridge import bind
bind(ffi, lib.landstep_fail)
"""


def _declarations(header: str) -> str:
    """Give the text of landstep.h without comments and lines for the preprocessor."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    return re.sub(r"^\s*#.*$", " ", text, flags=re.MULTILINE)


def public_functions(header: str) -> dict[str, str]:
    """Name -> parameter list of each function that landstep.h declares, in its order.

    header : the text of landstep.h
    """
    found = re.findall(r"\bint\s+(landstep_\w+)\s*\(([^)]*)\)\s*;", _declarations(header))
    return {name: " ".join(parameters.split()) for name, parameters in found}


def public_types(header: str) -> list[str]:
    """Declarations of the structures that landstep.h declares, each on one line.

    header : the text of landstep.h
    """
    found = re.findall(r"\btypedef struct \w+\s*\{[^}]*\}\s*\w+\s*;", _declarations(header))
    return [" ".join(declaration.split()) for declaration in found]


def python_functions(header: str) -> list[str]:
    """Prototypes (without semicolon) of the functions that Python answers, for cdef and for C.

    `int landstep_close(int handle)` becomes `int landstep_py_close(int handle)`;
    `landstep_py_abi` is the interface version of the Python side.
    """
    prototypes = ["int landstep_py_abi(void)"]
    for name, parameters in public_functions(header).items():
        if name not in IN_C_ALONE:
            inner = name.replace("landstep_", "landstep_py_", 1)
            prototypes.append(f"int {inner}({parameters})")
    return prototypes


def write_source(out: Path, header: Path, start: Path) -> None:
    """Write the C file that CMake compiles into liblandstep with entry.c."""
    import cffi

    text = header.read_text(encoding="utf-8")
    prototypes = python_functions(text)
    ffi = cffi.FFI()
    ffi.embedding_api("")
    ffi.cdef("\n".join(public_types(text)) + f"\n{FAIL};")
    ffi.cdef('extern "Python" {\n' + "\n".join(f"{p};" for p in prototypes) + "\n}")
    declarations = "".join(f"static {p};\n" for p in prototypes)
    prelude = f'#include "answers.h"\n{declarations}{start.read_text(encoding="utf-8")}'
    ffi.set_source("_landstep_embed", prelude)
    ffi.embedding_init_code(INIT_CODE)
    ffi.emit_c_code(str(out))


if __name__ == "__main__":
    write_source(*map(Path, sys.argv[1:4]))
