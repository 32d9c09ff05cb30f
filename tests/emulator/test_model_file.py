"""A model written with its manifest is read back; its card changes, its graph does not."""

import onnx
import pytest

from landstep.emulator.card import METADATA_KEY, manifest_path, read_manifest
from landstep.emulator.errors import InputError, ModelError
from landstep.emulator.graph_checks import with_metadata
from landstep.emulator.model_file import read_verified, write_model
from landstep.emulator.session import Session


def test_a_model_and_its_manifest_are_written_together(tiny_model, tmp_path):
    content = tiny_model.read_bytes()
    write_model(tmp_path / "m.onnx", content)
    assert read_verified(tmp_path / "m.onnx") == content
    written, first = read_manifest(tmp_path / "m.onnx"), read_manifest(tiny_model)
    assert written == first | {"file": "m.onnx"}


def test_a_model_that_cannot_be_written_leaves_the_old_one(tiny_model, tmp_path):
    write_model(tmp_path / "m.onnx", tiny_model.read_bytes())
    with pytest.raises(InputError, match="cannot write"):
        write_model(tmp_path / "no" / "m.onnx", b"x")
    assert Session.open(tmp_path / "m.onnx").card.name == "tiny"


def test_between_model_and_manifest_a_file_is_refused(tiny_model, tmp_path):
    """As if the process was killed between the two."""
    path = tmp_path / "m.onnx"
    write_model(path, tiny_model.read_bytes())
    old = manifest_path(path).read_bytes()
    write_model(path, with_metadata(tiny_model.read_bytes(), {METADATA_KEY: "x"}))
    manifest_path(path).write_bytes(old)
    with pytest.raises(ModelError, match="manifest says"):
        read_verified(path)


def test_other_metadata_leave_the_graph_as_it_is(tiny_model):
    """Every byte of it, operator sets and versions included."""
    content = tiny_model.read_bytes()
    before = onnx.load_from_string(content)
    after = onnx.load_from_string(with_metadata(content, {"a": "b"}))
    assert {p.key: p.value for p in after.metadata_props} == {"a": "b"}
    for proto in (before, after):
        del proto.metadata_props[:]
    assert before.SerializeToString(deterministic=True) == after.SerializeToString(
        deterministic=True
    )
    own = {p.key: p.value for p in onnx.load_from_string(content).metadata_props}
    assert with_metadata(content, own) == content
