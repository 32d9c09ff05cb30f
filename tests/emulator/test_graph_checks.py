"""What a graph must not hold: refused before onnxruntime sees it, or by it, by the file's name."""

import os
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from landstep.emulator.errors import ModelError
from landstep.emulator.graph_checks import check_graph
from landstep.emulator.session import Session


def outside(tensor, location):
    """Move a tensor's data to another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "4")):
        tensor.external_data.add(key=key, value=value)


@pytest.mark.parametrize("kind", ["../secret", "absolute", "symlink", "hardlink", "beside", "cwd"])
def test_external_data_is_refused(proto, save, tmp_path, monkeypatch, kind):
    """Rows 7 and 8: whatever the path, also where the file is there to be read."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(64))
    location = {"../secret": f"../{tmp_path.name}/secret", "absolute": str(secret)}.get(kind, kind)
    if kind == "symlink":
        (tmp_path / kind).symlink_to(secret)
    elif kind == "hardlink":
        os.link(secret, tmp_path / kind)
    elif kind in ("beside", "cwd"):
        shutil.copy(secret, tmp_path / kind)
        monkeypatch.chdir(tmp_path)
    outside(proto.graph.initializer[0], location)
    with pytest.raises(ModelError, match=r"external data not allowed \(tensor 'stem"):
        Session.open(save(proto))


def test_external_data_is_found_wherever_it_hides(proto):
    """In a constant's value, in a list of values, in a graph within a node, in sparse weights."""
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [1], [1.0])
    outside(tensor, "secret")
    sparse = onnx.SparseTensorProto(values=tensor, dims=[4])
    inner = helper.make_graph([], "inner", [], [], initializer=[tensor])
    nodes = {
        "external": [
            helper.make_node("Constant", [], ["c"], value=tensor),
            helper.make_node("Constant", [], ["c"], values=[tensor]),
            helper.make_node("Add", ["a", "b"], ["c"], body=inner),
        ],
        "sparse": [helper.make_node("Constant", [], ["c"], sparse_value=sparse)],
    }
    for words, wrong in nodes.items():
        for node in wrong:
            crafted = onnx.ModelProto()
            crafted.CopyFrom(proto)
            crafted.graph.node.append(node)
            with pytest.raises(ModelError, match=f"m.onnx: {words} "):
                check_graph(crafted.SerializeToString(), "m.onnx")
    proto.graph.sparse_initializer.append(sparse)
    with pytest.raises(ModelError, match="m.onnx: sparse weights are not allowed"):
        check_graph(proto.SerializeToString(), "m.onnx")


@pytest.mark.parametrize(
    ("domain", "name", "words"),
    [
        ("evil", "MyOp", "operator evil:MyOp not on allow-list"),
        ("com.microsoft", "Gelu", "operator com.microsoft:Gelu not on allow-list"),
        ("", "Loop", "operator Loop not on allow-list"),
        ("", "InstanceNormalization", "operator InstanceNormalization not on allow-list"),
    ],
)
def test_an_operator_off_the_list_is_refused(proto, save, domain, name, words):
    """Row 9; operators that look at a whole window are not on the list, either."""
    proto.graph.node[3].domain, proto.graph.node[3].op_type = domain, name
    with pytest.raises(ModelError, match=words):
        Session.open(save(proto))


def test_a_foreign_operator_set_and_functions_are_refused(proto):
    """Row 9: also where no node of the graph uses them."""
    proto.opset_import.add(domain="evil", version=1)
    with pytest.raises(ModelError, match="operator set 'evil' is not on the allow-list"):
        check_graph(proto.SerializeToString(), "m.onnx")
    del proto.opset_import[-1]
    proto.functions.add(name="Add")
    with pytest.raises(ModelError, match="holds functions or training steps"):
        check_graph(proto.SerializeToString(), "m.onnx")


def test_an_opset_that_is_too_new_is_refused(proto, save):
    """Row 10: opset 99, and IR version 99."""
    proto.opset_import[0].version = 99
    with pytest.raises(ModelError, match="opset 99 needs a newer onnxruntime, have up to"):
        Session.open(save(proto))
    proto.opset_import[0].version, proto.ir_version = 18, 99
    with pytest.raises(ModelError, match="IR version 99 needs a newer onnxruntime, have up to"):
        Session.open(save(proto))


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ([2**20, 2**20], "would need 8192 GiB, limit 2"),
        ([2**62] * 30, "GiB, limit 2"),
        ([-1, 4], "limit 2"),
    ],
)
def test_huge_dimensions_are_refused(proto, save, dims, words):
    """Row 11: 4 TiB of float32, more cells than a float counts, and less than none."""
    del proto.graph.initializer[0].dims[:]
    proto.graph.initializer[0].dims.extend(dims)
    with pytest.raises(ModelError, match=words):
        Session.open(save(proto))


def test_a_constant_of_huge_shape_ends_in_an_error(proto, save):
    """Row 11: 4 TiB that the graph would make for itself, folded when the session opens."""
    shape = numpy_helper.from_array(np.array([2**20, 2**20], np.int64), "huge_shape")
    proto.graph.initializer.append(shape)
    make = helper.make_node("ConstantOfShape", ["huge_shape"], ["huge"])
    proto.graph.node.insert(0, make)
    proto.graph.node.append(helper.make_node("ReduceSum", ["huge"], ["sum_of_huge"]))
    proto.graph.output.append(helper.make_tensor_value_info("sum_of_huge", 1, None))
    with pytest.raises(ModelError, match="crafted.onnx"):
        Session.open(save(proto))


def test_weights_that_hold_less_than_they_claim_are_refused(proto, save):
    """The message comes from onnxruntime, the file's name from us."""
    proto.graph.initializer[0].dims[0] += 1
    with pytest.raises(ModelError, match="crafted.onnx: onnxruntime .* cannot open it"):
        Session.open(save(proto))


def test_an_empty_graph_is_no_model(proto, save):
    """No node, nothing to run."""
    del proto.graph.node[:]
    with pytest.raises(ModelError, match="not an ONNX model, its graph is empty"):
        Session.open(save(proto))


def test_a_graph_with_other_names_or_no_card_is_refused(proto, save):
    """Inputs and outputs are those of features.py."""
    proto.graph.output[1].name = "probabilities"
    with pytest.raises(ModelError, match=r"gives \('land_use', 'probabilities'\), expected"):
        Session.open(save(proto))
    del proto.metadata_props[:]
    with pytest.raises(ModelError, match="no model card in its metadata"):
        Session.open(save(proto))
