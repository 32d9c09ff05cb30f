"""The host's own fields at points that the mask leaves out, in a restart.

Nothing of such a point is looked at, so its index may be any memory that nobody set. Where it is
the index of one such point alone, and of none that is served, its fields are found again by it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from landstep.coupling.host_points import HostPoints

LABELS, MASKED = "masked_index", "masked_"
"""What a restart calls their indices, and how the names of their fields begin."""


def kept(points: HostPoints, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Put the fields of all ranks' masked points together. All ranks call it.

    arrays : name -> (n, ...) of this rank's points; those of real numbers are kept
    returns : what a restart holds, in the order of LABELS; nothing where there are no such points
    """
    real = {name: values for name, values in sorted(arrays.items()) if values.dtype.kind == "f"}
    if not points.n_padding or not real:
        return {}
    labels, place, count = np.unique(
        points.gathered(_labels(points))[: points.n_padding],
        return_index=True,
        return_counts=True,
    )
    served = points.index[points.n_padding :]
    held = (labels >= 0) & (count == 1) & ~np.isin(labels, served)
    fields = {
        MASKED + n: points.gathered(v)[: points.n_padding][place[held]] for n, v in real.items()
    }
    return {LABELS: labels[held], **fields} if held.any() else {}


def restored(
    points: HostPoints, arrays: Mapping[str, np.ndarray], file: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Put what `kept` gave back where this rank's masked points have the same indices.

    arrays : name -> (n, ...) of this rank's points; file : what the restart holds
    """
    labels = file.get(LABELS, np.empty(0, np.int64))
    own = _labels(points)
    at = np.searchsorted(labels, own)
    at[at == labels.size] = 0
    found = np.flatnonzero((own >= 0) & (labels[at] == own)) if labels.size else at[:0]
    result = {}
    for name, values in arrays.items():
        if MASKED + name in file and found.size:
            values = values.copy()
            values[found] = file[MASKED + name][at[found]]
        result[name] = values
    return result


def _labels(points: HostPoints) -> np.ndarray:
    label = points.mine.label
    return np.full(points.mine.n, -1, np.int64) if label is None else label
