"""The onnxruntime package, loaded so that it neither writes nor asks anything behind one's back."""

from __future__ import annotations

import logging
import sys
from typing import Any

from landstep.emulator.errors import DependencyError
from landstep.emulator.native import c_environment, c_variable

NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"
"""Read once, as the library is loaded: `disable_telemetry_events` of the package comes too late."""

_LOG = logging.getLogger(__name__)
_loaded: dict[str, str] = {}  # the telemetry of what load_onnxruntime returned, in words


def load_onnxruntime() -> Any:
    """Import onnxruntime, which is an extra of landstep, with its telemetry off.

    From version 1.32 on it would write files into HOME, look up a host of its maker's, and leave a
    thread that keeps a forked child from ending. The environment is as before once it is loaded.
    Where the program imported it before landstep did, that import decided, and this is logged.

    Raises DependencyError where it is not installed.
    """
    if "onnxruntime" not in sys.modules:
        with c_environment(NO_TELEMETRY, "1"):
            onnxruntime = _import()
        _loaded.setdefault("telemetry", "telemetry off")
        return onnxruntime
    if not _loaded:
        asked = c_variable(NO_TELEMETRY)
        found = f"{NO_TELEMETRY}={asked}" if asked else f"without {NO_TELEMETRY}=1"
        _loaded["telemetry"] = f"imported before landstep, {found}: telemetry is as that left it"
        _LOG.info("onnxruntime was %s", _loaded["telemetry"])
    return _import()


def _import() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError(
            "onnxruntime is not installed: pip install 'landstep[cpu]' (or 'landstep[gpu]', "
            "'landstep[openvino]')"
        ) from error
    return onnxruntime


def telemetry() -> str:
    """Say what this process's onnxruntime tells its maker, e.g. "telemetry off"."""
    load_onnxruntime()
    return _loaded["telemetry"]
