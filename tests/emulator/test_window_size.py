"""Windows as large as their memory allows."""

import pytest

from landstep.emulator.session import Session
from landstep.emulator.window_size import LARGEST_CORE, WINDOW_BYTES, bytes_per_cell, core_for


@pytest.mark.parametrize(("base", "depth"), [(4, 1), (8, 3), (32, 4), (64, 4), (512, 5)])
def test_a_core_is_on_the_stride_and_its_window_fits(tiny_model, base, depth):
    """Or it is the smallest there is; and one stride more would not fit, or be too large."""
    card = Session.open(tiny_model).card.model_copy(update={"base": base, "depth": depth})
    core = core_for(card)
    assert core % card.stride == 0 and card.stride <= core <= LARGEST_CORE

    def fits(size: int) -> bool:
        return (size + 2 * card.halo) ** 2 * bytes_per_cell(card) <= WINDOW_BYTES

    assert fits(core) or core == card.stride
    assert not fits(core + card.stride) or core + card.stride > LARGEST_CORE


def test_more_maps_before_and_more_channels_make_windows_smaller(tiny_model):
    tiny_card = Session.open(tiny_model).card
    plain = tiny_card.model_copy(update={"base": 32, "depth": 4, "history": 1})
    longer, wider = (plain.model_copy(update=u) for u in ({"history": 3}, {"base": 64}))
    assert bytes_per_cell(plain) < bytes_per_cell(longer) < bytes_per_cell(wider)
    assert core_for(plain) > core_for(longer) > core_for(wider)
