"""Checkpoints that are none, or do not fit themselves, are refused by name."""

import pytest
import torch

from landstep.emulator.errors import ModelError
from landstep.training.checkpoint import load_checkpoint
from landstep.training.fit import train


@pytest.fixture
def checkpoint(training_file):
    """Train for a moment."""
    return train(training_file, progress=False)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "a.ckpt"
    with pytest.raises(ModelError, match=r"checkpoint not found: .*a\.ckpt"):
        load_checkpoint(path)
    path.write_bytes(b"<html>")
    with pytest.raises(ModelError, match=r"a\.ckpt: not a checkpoint"):
        load_checkpoint(path)
    torch.save({"state_dict": {}}, path)
    with pytest.raises(ModelError, match="not of a landstep training"):
        load_checkpoint(path)


def test_a_damaged_card_is_refused(checkpoint):
    content = torch.load(checkpoint, weights_only=True)
    content["landstep"]["card"] = "{}"
    torch.save(content, checkpoint)
    with pytest.raises(ModelError, match="model card cannot be read"):
        load_checkpoint(checkpoint)


def test_weights_that_do_not_fit_the_card_are_refused(checkpoint):
    content = torch.load(checkpoint, weights_only=True)
    del content["state_dict"]["network.stem.0.weight"]
    torch.save(content, checkpoint)
    with pytest.raises(ModelError, match="weights do not fit the card"):
        load_checkpoint(checkpoint)


def test_a_cut_off_checkpoint_is_refused(checkpoint):
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="not a checkpoint"):
        load_checkpoint(checkpoint)
