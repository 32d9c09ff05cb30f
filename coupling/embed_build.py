"""Write the C source of liblandstep: cffi's embedding code around embed.c. Run by CMake.

The declarations that cross to Python are made from landstep.h, so that the header is the only
place where the interface is written down.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MESSAGE = "char *message, int message_size"
IN_C_ALONE = ("landstep_abi", "landstep_last_error")
INIT_CODE = """
from _landstep_embed import ffi
from landstep.coupling.bridge import bind
bind(ffi)
"""


def public_functions(header: str) -> dict[str, str]:
    """Name -> parameter list of each function that landstep.h declares, in its order.

    header : the text of landstep.h
    """
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    text = re.sub(r"^\s*#.*$", " ", text, flags=re.MULTILINE)
    found = re.findall(r"\bint\s+(landstep_\w+)\s*\(([^)]*)\)\s*;", text)
    return {name: " ".join(parameters.split()) for name, parameters in found}


def python_functions(header: str) -> list[str]:
    """Prototypes (without semicolon) of the functions that Python answers, for cdef and for C.

    `int landstep_close(int handle)` becomes
    `int landstep_py_close(int handle, char *message, int message_size)`; `landstep_py_abi` is the
    interface version of the Python side.
    """
    prototypes = ["int landstep_py_abi(void)"]
    for name, parameters in public_functions(header).items():
        if name not in IN_C_ALONE:
            inner = name.replace("landstep_", "landstep_py_", 1)
            prototypes.append(f"int {inner}({parameters}, {MESSAGE})")
    return prototypes


def write_source(out: Path, header: Path, prelude: Path) -> None:
    """Write the C file that CMake compiles into liblandstep."""
    import cffi

    prototypes = python_functions(header.read_text(encoding="utf-8"))
    ffi = cffi.FFI()
    ffi.embedding_api("")
    ffi.cdef('extern "Python" {\n' + "\n".join(f"{p};" for p in prototypes) + "\n}")
    declarations = "".join(f"static {p};\n" for p in prototypes)
    ffi.set_source("_landstep_embed", declarations + prelude.read_text(encoding="utf-8"))
    ffi.embedding_init_code(INIT_CODE)
    ffi.emit_c_code(str(out))


if __name__ == "__main__":
    write_source(*map(Path, sys.argv[1:4]))
