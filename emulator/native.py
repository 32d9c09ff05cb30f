"""What this process holds below Python: its malloc, its libraries, and the environment of C."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator

MALLOC = ("malloc", "calloc", "realloc", "free", "memalign", "aligned_alloc", "posix_memalign")
SANITIZERS = ("__asan_init", "__tsan_init", "__msan_init", "__lsan_init", "__hwasan_init")
"""Functions of the runtimes of sanitizers that replace malloc and refuse RTLD_DEEPBIND."""


class _Found(ctypes.Structure):
    """Dl_info of dlfcn.h."""

    _fields_ = [
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    ]


def _address(library: ctypes.CDLL, name: str) -> int | None:
    function = getattr(library, name, None)
    return ctypes.cast(function, ctypes.c_void_p).value if function is not None else None


def _libc() -> ctypes.CDLL:
    """Libc alone, without what the process puts in front of it."""
    return ctypes.CDLL("libc.so.6")


def malloc_is_libc_own() -> bool:
    """Whether memory in this process is libc's own affair: no other malloc, and no sanitizer."""
    try:
        process, libc = ctypes.CDLL(None), _libc()
    except OSError:
        return True  # no glibc
    if any(_address(process, name) for name in SANITIZERS):
        return False
    return all(_address(process, name) == _address(libc, name) for name in MALLOC)


def thread_sanitizer() -> bool:
    """Whether ThreadSanitizer watches this process, which the host was built with."""
    return _address(ctypes.CDLL(None), "__tsan_init") is not None


def file_of_symbol(name: str) -> str:
    """Path of the file in which this process finds a C function; "" where it finds none."""
    process, found = ctypes.CDLL(None), _Found()
    address = _address(process, name)
    if address is None or not process.dladdr(ctypes.c_void_p(address), ctypes.byref(found)):
        return ""
    return os.path.realpath(os.fsdecode(found.file or b""))


def load_bytes(library: bytes, name: str) -> str:
    """Load a shared library from memory with RTLD_DEEPBIND; returns why not, or "".

    By the dlopen of libc itself: that of a sanitizer stops the program at RTLD_DEEPBIND.
    """
    try:
        file = os.memfd_create(name, os.MFD_CLOEXEC)
    except OSError as error:
        return f"no memory file: {error.strerror}"
    with open(file, "wb") as memory:
        memory.write(library)
        memory.flush()
        libc = _libc()
        if not hasattr(libc, "dlopen"):  # before glibc 2.34
            libc = ctypes.CDLL("libdl.so.2")
        libc.dlopen.restype = ctypes.c_void_p
        libc.dlerror.restype = ctypes.c_char_p
        path = f"/proc/self/fd/{memory.fileno()}".encode()
        if libc.dlopen(path, os.RTLD_NOW | os.RTLD_DEEPBIND):
            return ""
        return (libc.dlerror() or b"dlopen failed").decode("utf-8", "replace")


def c_variable(name: str) -> str | None:
    """Return an environment variable as C libraries see it now.

    os.environ does not know what a host has set since Python started.
    """
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    value = libc.getenv(os.fsencode(name))
    return None if value is None else os.fsdecode(value)


@contextlib.contextmanager
def kept_environment(name: str) -> Iterator[None]:
    """Put back an environment variable that an import may set, for Python and for C libraries."""
    of_python, of_c = os.environ.get(name), c_variable(name)
    try:
        yield
    finally:
        if of_python is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = of_python
        _set_c_variable(name, of_c)


def _set_c_variable(name: str, value: str | None) -> None:
    if value is None:
        os.unsetenv(name)
    else:
        os.putenv(name, value)


@contextlib.contextmanager
def c_environment(name: str, value: str) -> Iterator[None]:
    """Let C libraries read a value of an environment variable, and put back what was there."""
    before = c_variable(name)
    os.putenv(name, value)
    try:
        yield
    finally:
        _set_c_variable(name, before)
