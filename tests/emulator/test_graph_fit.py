"""What runs is what was checked, and costs what its card says (faults 9, 11, 13, 94 and 95)."""

import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from landstep.emulator.card import METADATA_KEY, Card, manifest_path, manifest_text
from landstep.emulator.errors import ModelError
from landstep.emulator.graph_checks import check_graph, graph_bytes, metadata_of
from landstep.emulator.graph_cost import GraphCost
from landstep.emulator.graph_fit import GraphFit, Window
from landstep.emulator.session import Session


@pytest.fixture(scope="module")
def plain(tiny_model):
    """Open the tiny model."""
    return Session.open(tiny_model)


@pytest.fixture
def card(tiny_model):
    """Read the tiny model's card."""
    return Card.from_metadata(metadata_of(onnx.load(tiny_model), "m"), "m")


def window_of(card, n=1, y=12, x=20, cy=2, cx=3):
    """Make up inputs of a small window."""
    rng = np.random.default_rng(0)
    shapes = Window(n, y, x, cy, cx).inputs(card)
    made = {
        name: rng.random(shapes[name]).astype(np.float32)
        for name in ("years", "continuous", "forcing", "forcing_change", "prior_shares")
    }
    made |= {
        name: rng.integers(0, 6, shapes[name]).astype(np.uint8)
        for name in ("prior", "history", "categories")
    }
    return made | {"row": np.arange(y) * cy // y, "col": np.arange(x) * cx // x}


def renamed_logits(proto):
    """Rename the last node's logits, so that something can be put behind them."""
    for node in proto.graph.node:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name == "logits":
                    names[place] = "logits_before"


def add(proto, *nodes):
    """Put nodes at a graph's end, between the logits and what it gives."""
    renamed_logits(proto)
    proto.graph.node.extend(nodes)


def wasteful(proto, shape_of, value=0.0):
    """Add a tensor of some shape to the logits, of which nothing comes through."""
    shape_of += [
        helper.make_node(
            "ConstantOfShape", ["wasted_shape"], ["wasted"],
            value=helper.make_tensor("v", TensorProto.FLOAT, [1], [value]),
        ),
        helper.make_node("ReduceSum", ["wasted"], ["wasted_sum"], keepdims=0),
        helper.make_node("Add", ["logits_before", "wasted_sum"], ["logits"]),
    ]  # fmt: skip
    add(proto, *shape_of)


# --- fault 94: two formats in one file --------------------------------------------------------


def in_two_formats(good: bytes, folder: Path) -> bytes:
    """Make a file that is one graph as a protobuf, and another as onnxruntime's flatbuffer.

    A flatbuffer begins with where its root table lies, and "ORTM". As a protobuf these eight bytes
    are the fields ir_version and producer_name, and the root table, moved there, hides in a field
    that ONNX does not know.
    """
    other = onnx.load_from_string(good)
    renamed_logits(other)
    other.graph.node.append(helper.make_node("Neg", ["logits_before"], ["logits"]))
    options, flat = onnxruntime.SessionOptions(), folder / "other.ort"
    options.optimized_model_filepath = str(flat)
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    cpu = ["CPUExecutionProvider"]
    onnxruntime.InferenceSession(other.SerializeToString(), options, providers=cpu)
    flat_bytes = flat.read_bytes()
    rest = onnx.load_from_string(good)
    head = bytes([0x08, rest.ir_version, 0x12, 4]) + b"ORTM"
    at = struct.unpack("<I", head[:4])[0]
    rest.ClearField("ir_version")
    rest.ClearField("producer_name")
    body = rest.SerializeToString()
    root = struct.unpack("<I", flat_bytes[:4])[0]
    of_table = root - struct.unpack("<i", flat_bytes[root : root + 4])[0]
    table_size, root_size = struct.unpack("<HH", flat_bytes[of_table : of_table + 4])
    shift = at + root_size
    table = bytearray(flat_bytes[root : root + root_size])
    struct.pack_into("<i", table, 0, at - (of_table + shift))
    for (place,) in struct.iter_unpack("<H", flat_bytes[of_table + 4 : of_table + table_size]):
        if place:
            (offset,) = struct.unpack("<I", table[place : place + 4])
            struct.pack_into("<I", table, place, root + offset + shift - at)
    tail = bytes(table) + flat_bytes
    begin = len(head) + len(body)
    for digits in (3, 4, 5):
        padding = at - (begin + 2 + digits)
        length = varint(padding + len(tail))
        if len(length) == digits:
            return head + body + varint(1000 << 3 | 2) + length + bytes(padding) + tail
    raise AssertionError("no length fits")


def varint(number):
    """Write a number as protobuf does."""
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def test_a_file_in_two_formats_runs_the_graph_that_was_checked(save, plain, tiny_model, tmp_path):
    """Fault 94: onnxruntime finds another graph in those bytes, and never sees them."""
    crafted = in_two_formats(tiny_model.read_bytes(), tmp_path)
    inputs = window_of(plain.card)
    expected = plain.run(inputs)
    cpu = ["CPUExecutionProvider"]
    (hidden,) = onnxruntime.InferenceSession(crafted, providers=cpu).run(["logits"], inputs)
    hides_another = np.allclose(hidden, -expected["logits"], rtol=1e-3, atol=1e-2)
    assert hides_another, "the file is what this test says it is"
    check_graph(crafted, "m.onnx")
    found = Session.open(save(crafted))
    assert found.sha256 == hashlib.sha256(crafted).hexdigest()
    for name, values in found.run(inputs).items():
        assert np.array_equal(values, expected[name])


def test_a_graph_that_stands_twice_is_run_as_it_was_read(save, plain, tiny_model):
    """Fault 94: protobuf joins fields that stand twice; what is checked is what they join to."""
    more = onnx.ModelProto()
    more.graph.node.append(helper.make_node("Sin", ["logits_before"], ["logits"]))
    with pytest.raises(ModelError, match="operator Sin not on allow-list"):
        Session.open(save(tiny_model.read_bytes() + more.SerializeToString()))
    unknown = varint(999 << 3 | 2) + varint(5) + b"12345"
    inputs = window_of(plain.card)
    same = Session.open(save(tiny_model.read_bytes() + unknown)).run(inputs)
    assert np.array_equal(same["logits"], plain.run(inputs)["logits"])


def test_onnxruntime_gets_the_graph_and_nothing_else(proto):
    """Metadata are no settings: ORT_LOAD_CONFIG_FROM_MODEL would read them."""
    helper.set_model_props(proto, {METADATA_KEY: "{}", "ort_config": '{"session_options": {}}'})
    bare = onnx.load_from_string(graph_bytes(proto))
    assert not bare.metadata_props and bare.graph == proto.graph


# --- fault 95: a graph that makes its own memory or work --------------------------------------


def constant_of_shape(proto):
    """Four tebibytes in forty bytes."""
    shape = helper.make_tensor("wasted_dims", TensorProto.INT64, [2], [2**20, 2**20])
    wasteful(proto, [helper.make_node("Constant", [], ["wasted_shape"], value=shape)])


def shape_of_the_window(proto):
    """The square of the window's cells."""
    nodes = [
        helper.make_node("Shape", ["prior"], ["wasted_a"]),
        helper.make_node("Concat", ["wasted_a", "wasted_a"], ["wasted_shape"], axis=0),
    ]
    wasteful(proto, nodes)


def a_range(proto):
    """A count to 2^40."""
    proto.graph.initializer.extend(
        numpy_helper.from_array(np.array(value, np.int64), f"wasted_{value}")
        for value in (0, 1, 2**40)
    )
    add(
        proto,
        helper.make_node("Range", [f"wasted_{v}" for v in (0, 2**40, 1)], ["wasted"]),
        helper.make_node("ReduceMax", ["wasted"], ["wasted_most"], keepdims=0),
        helper.make_node("Cast", ["wasted_most"], ["wasted_float"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["logits_before", "wasted_float"], ["logits"]),
    )


def an_expansion(proto):
    """One number, expanded."""
    dims = numpy_helper.from_array(np.array([2**21, 2**20], np.int64), "wasted_dims")
    proto.graph.initializer.extend([numpy_helper.from_array(np.float32(0), "wasted_0"), dims])
    add(
        proto,
        helper.make_node("Expand", ["wasted_0", "wasted_dims"], ["wasted"]),
        helper.make_node("ReduceMax", ["wasted"], ["wasted_most"], keepdims=0),
        helper.make_node("Add", ["logits_before", "wasted_most"], ["logits"]),
    )


def padding(proto):
    """A margin of a million cells."""
    pads = numpy_helper.from_array(np.array([0, 0, 2**20, 0, 0, 0, 0, 2**10], np.int64), "wasted_p")
    proto.graph.initializer.append(pads)
    add(
        proto,
        helper.make_node("Pad", ["logits_before", "wasted_p"], ["wasted"]),
        helper.make_node("ReduceMax", ["wasted"], ["wasted_most"], keepdims=0),
        helper.make_node("Add", ["logits_before", "wasted_most"], ["logits"]),
    )


def doubling(proto):
    """Twice as much, thirty times over."""
    nodes = [helper.make_node("Identity", ["logits_before"], ["wasted_0"])]
    for number in range(30):
        given = [f"wasted_{number}"] * 2
        nodes.append(helper.make_node("Concat", given, [f"wasted_{number + 1}"], axis=1))
    nodes += [
        helper.make_node("ReduceMax", ["wasted_30"], ["wasted_most"], keepdims=0),
        helper.make_node("Add", ["logits_before", "wasted_most"], ["logits"]),
    ]
    add(proto, *nodes)


@pytest.mark.parametrize(
    "waste", [constant_of_shape, shape_of_the_window, a_range, an_expansion, padding, doubling]
)
def test_a_graph_that_makes_its_own_memory_is_refused_at_opening(save, proto, waste):
    """Fault 95, and fault 11 for what is made: the file, what it would need, and the limit."""
    waste(proto)
    words = r"crafted.onnx: .*would need \S+ GiB.* limit [\d.]+"
    with pytest.raises(ModelError, match=words):
        Session.open(save(proto))


def products(of):
    """Multiply a square matrix with itself, again and again."""

    def put(proto):
        nodes = [of("wasted_0")]
        for number in range(40):
            given = [f"wasted_{number}"] * 2
            nodes.append(helper.make_node("MatMul", given, [f"wasted_{number + 1}"]))
        nodes += [
            helper.make_node("ReduceMax", ["wasted_40"], ["wasted_most"], keepdims=0),
            helper.make_node("Add", ["logits_before", "wasted_most"], ["logits"]),
        ]
        add(proto, *nodes)

    return put


def a_constant(name):
    """Of 2000 x 2000."""
    shape = helper.make_tensor("wasted_dims", TensorProto.INT64, [2], [2000, 2000])
    return helper.make_node("Expand", ["wasted_1_1", "wasted_dims"], [name]), shape


def test_a_chain_of_products_of_weights_is_refused(save, proto):
    """Fault 95: onnxruntime would compute it at opening, for minutes."""
    node, shape = a_constant("wasted_0")
    one = numpy_helper.from_array(np.float32(0), "wasted_1_1")
    proto.graph.initializer.extend([one, shape])
    products(lambda name: node)(proto)
    with pytest.raises(ModelError, match=r"would need \S+ (GiB|multiplications) for what depends"):
        Session.open(save(proto))


def test_a_chain_of_products_over_the_window_is_refused(save, proto):
    """Fault 95: each cell of the window with every other of its row."""
    channels = numpy_helper.from_array(np.array([0], np.int64), "wasted_axes")
    proto.graph.initializer.append(channels)
    products(lambda name: helper.make_node("Identity", ["logits_before"], [name]))(proto)
    with pytest.raises(
        ModelError, match=r"would take \S+ multiplications, limit \S+ for a network"
    ):
        Session.open(save(proto))


def test_a_graph_that_is_small_on_one_window_only_is_refused_on_others(save, proto, card):
    """Fault 95: (rows - usual rows) x 2^31 numbers are none on the window that opening looks at."""
    usual = Window.usual(card)
    proto.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array([usual.y], np.int64), "wasted_usual"),
            numpy_helper.from_array(np.array([2**31], np.int64), "wasted_many"),
            numpy_helper.from_array(np.array([1], np.int64), "wasted_1"),
        ]
    )
    nodes = [
        helper.make_node("Shape", ["prior"], ["wasted_a"]),
        helper.make_node("Gather", ["wasted_a", "wasted_1"], ["wasted_y"], axis=0),
        helper.make_node("Sub", ["wasted_usual", "wasted_y"], ["wasted_apart"]),
        helper.make_node("Mul", ["wasted_apart", "wasted_many"], ["wasted_shape"]),
    ]
    wasteful(proto, nodes)
    session = Session.open(save(proto))
    with pytest.raises(ModelError, match=r"a window of 12 x 20 cells would need \S+ GiB"):
        session.run(window_of(card))


def test_a_shape_that_follows_from_numbers_is_refused(save, proto):
    """Fault 95: how much it makes would depend on the map."""
    nodes = [
        helper.make_node("ReduceMax", ["row"], ["wasted_most"], keepdims=1),
        helper.make_node("Identity", ["wasted_most"], ["wasted_shape"]),
    ]
    wasteful(proto, nodes)
    with pytest.raises(
        ModelError, match="shape of 'wasted', which ConstantOfShape makes, does not"
    ):
        Session.open(save(proto))


def test_exported_networks_stay_far_from_the_limits(tiny_model, card):
    """They need what the card's estimate says, and compute nothing at opening."""
    fit = GraphFit.of(onnx.load(tiny_model), card, "m.onnx")
    usual = Window.usual(card)
    cost = fit.cost.of(usual.inputs(card))
    assert cost.memory < 1.2 * 2 * 2**30
    assert (cost.fixed_memory, cost.fixed_work) == (0, 0)
    assert cost.outputs == usual.outputs(card)


# --- the card and the graph -------------------------------------------------------------------


def with_card(proto, card, **changes):
    """Put a changed card into a graph."""
    helper.set_model_props(proto, card.model_copy(update=changes).to_metadata())


def test_logits_of_another_number_of_classes_are_refused_at_opening(save, proto, card):
    """Not in a step, by an error of numpy's."""
    add(proto, helper.make_node("Concat", ["logits_before"] * 2, ["logits"], axis=1))
    for value in proto.graph.output:
        value.type.tensor_type.shape.dim[-3 if value.name == "logits" else 0].Clear()
    with pytest.raises(ModelError, match=r"logits float32 \(1, 16, .* expected .*\(1, 8, "):
        Session.open(save(proto))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"class_codes": [0, 11, 22], "class_names": ["a", "b", "c"]}, "prior_shares is float"),
        ({"history": 2}, r"history is uint8 \('any', 3, .* expected uint8 \('any', 2"),
        ({"continuous": ["elevation", "slope"]}, "continuous is float"),
        ({"states": ["urban"]}, "forcing is float"),
        ({"categories": []}, "categories is uint8"),
    ],
)
def test_inputs_that_the_card_does_not_name_are_refused_at_opening(
    save, proto, card, change, words
):
    """By the channels that the graph declares."""
    with_card(proto, card, **change)
    with pytest.raises(ModelError, match=words):
        Session.open(save(proto))


def test_another_type_of_input_or_output_is_refused_at_opening(save, proto):
    """A type is a promise about memory."""
    crafted = onnx.ModelProto()
    crafted.CopyFrom(proto)
    next(v for v in crafted.graph.input if v.name == "prior").type.tensor_type.elem_type = 3
    with pytest.raises(ModelError, match="input prior is int8 .* expected uint8"):
        Session.open(save(crafted))
    for value in proto.graph.output:
        if value.name == "land_use":
            value.type.tensor_type.elem_type = TensorProto.INT64
    with pytest.raises(ModelError, match="output land_use is int64, expected uint8"):
        Session.open(save(proto))


def test_windows_of_one_size_only_are_refused_at_opening(save, proto):
    """Windows have many sizes."""
    prior = next(value for value in proto.graph.input if value.name == "prior")
    prior.type.tensor_type.shape.dim[1].dim_value = 64
    with pytest.raises(ModelError, match=r"input prior is uint8 \('any', 64, 'any'\), expected"):
        Session.open(save(proto))


def test_an_input_with_a_default_is_refused(save, proto):
    """It is no input."""
    proto.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), "years"))
    with pytest.raises(ModelError, match=r"has a default for \['years'\]"):
        Session.open(save(proto))


def test_a_domain_of_its_own_is_refused(save, proto):
    """Fault 9: as an operator, an operator set, and one that stands beside the usual one."""
    crafted = onnx.ModelProto()
    crafted.CopyFrom(proto)
    crafted.graph.node[0].domain = "evil"
    crafted.graph.node[0].op_type = "MyOp"
    with pytest.raises(ModelError, match="operator evil:MyOp not on allow-list"):
        Session.open(save(crafted))
    for domain, words in (("evil", "operator set 'evil'"), ("ai.onnx", "operator set twice")):
        crafted.CopyFrom(proto)
        crafted.opset_import.append(helper.make_opsetid(domain, 18))
        with pytest.raises(ModelError, match=words):
            Session.open(save(crafted))


def test_an_operator_with_inputs_that_it_cannot_have_is_refused(save, proto):
    """Fault 13: by words of ours around ONNX's own."""
    add(proto, helper.make_node("Conv", ["logits_before"], ["logits"]))
    with pytest.raises(ModelError, match=r"crafted\.onnx: not an ONNX model that runs"):
        Session.open(save(proto))


# --- the files --------------------------------------------------------------------------------


def test_a_model_larger_than_a_protobuf_is_not_read(tmp_path, tiny_model):
    """Fault 13: a file of 3 GiB, of which nothing is on the disk."""
    path = tmp_path / "large.onnx"
    with path.open("wb") as stream:
        stream.truncate(3 * 2**30)
    with pytest.raises(ModelError, match=r"large\.onnx: 3221225472 bytes"):
        Session.open(path)


def test_devices_and_pipes_are_no_model_and_no_manifest(tmp_path, tiny_model):
    """Fault 13: never read, which could last for ever."""
    for path in (Path("/dev/zero"), Path("/dev/stdin"), tmp_path):
        with pytest.raises(ModelError, match="folder or a device|not found"):
            Session.open(path)
    path = tmp_path / "m.onnx"
    path.write_bytes(tiny_model.read_bytes())
    os.mkfifo(manifest_path(path))
    with pytest.raises(ModelError, match=r"m\.onnx\.json: not a manifest \(a folder, device"):
        Session.open(path)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "3", "null", '"x"', "[" * 100000, '{"bytes": ' + "[" * 50000, '{"bytes": 1}',
        '{"bytes": 1, "bytes": 2, "sha256": "%s"}' % ("0" * 64), '{"bytes": NaN, "sha256": ""}',
        '{"bytes": true, "sha256": "%s"}' % ("0" * 64), '{"bytes": 1e400, "sha256": "x"}',
        '{"bytes": -1, "sha256": "%s"}' % ("0" * 64), '{"bytes": 1, "sha256": 7}',
        '{"bytes": 1, "sha256": "%s"}' % ("g" * 64), '{"bytes": %s}' % ("9" * 5000),
        '{"bytes": "513561", "sha256": "%s"}' % ("0" * 64), "\0", "x" * 70000,
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused_in_words(tmp_path, tiny_model, text):
    """Fault 13: deep, long, doubled, of other types."""
    path = tmp_path / "m.onnx"
    path.write_bytes(tiny_model.read_bytes())
    manifest_path(path).write_text(text)
    with pytest.raises(ModelError, match=r"m\.onnx\.json: not a manifest"):
        Session.open(path)


def test_a_checksum_in_capitals_is_the_same_checksum(tmp_path, tiny_model):
    """Hexadecimal digits have no case."""
    path, content = tmp_path / "m.onnx", tiny_model.read_bytes()
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    text = manifest_text(path.name, content).replace(digest, digest.upper())
    assert digest.upper() in text
    manifest_path(path).write_text(text)
    assert Session.open(path).sha256 == digest


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100000, '{"training": ' + "[" * 100000, '{"name": "a", "name": "b"}',
        '{"training": {"x": NaN}}', '{"training": {"x": -Infinity}}', '{"base": %s}' % ("9" * 5000),
        '{"base": 8, "training": {"x": 1, "x": 2}}', "\0", "", "[]", "{}",
    ],
)  # fmt: skip
def test_what_is_no_card_is_refused_in_words(save, proto, text):
    """Fault 13: deep, doubled, without numbers."""
    helper.set_model_props(proto, {METADATA_KEY: text})
    with pytest.raises(ModelError, match=r"crafted\.onnx: model card is not one"):
        Session.open(save(proto))


def test_a_card_that_stands_twice_is_refused(save, proto):
    """Which of the two would count?"""
    entry = proto.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, "{}"
    with pytest.raises(ModelError, match="metadata 'landstep_card' stands 2 times"):
        Session.open(save(proto))


@pytest.mark.slow
def test_graphs_with_damaged_attributes_are_refused_or_run(proto, card):
    """Fault 13: whatever shape inference is given, an error of ours."""
    rng = np.random.default_rng(13)
    window = Window(1, 12, 20, 2, 3).inputs(card)
    for _ in range(60):
        crafted = onnx.ModelProto()
        crafted.CopyFrom(proto)
        for _ in range(3):
            node = crafted.graph.node[rng.integers(len(crafted.graph.node))]
            for attribute in node.attribute:
                wild = [0, -1, 2**16, 2**31, -(2**63)]
                if attribute.ints:
                    attribute.ints[rng.integers(len(attribute.ints))] = wild[rng.integers(5)]
                else:
                    attribute.i = wild[rng.integers(5)]
            if node.input and rng.random() < 0.5:
                node.input[0] = "prior"
        try:
            GraphCost(check_graph(crafted.SerializeToString(), "m.onnx"), "m.onnx").of(window)
        except ModelError as error:
            assert "m.onnx" in str(error)


def test_weights_of_no_type_are_refused_by_the_files_name(tiny_model):
    """Invariant 18."""
    proto = onnx.load(tiny_model)
    proto.graph.initializer[0].data_type = 0
    with pytest.raises(ModelError, match=r"m\.onnx: .*type 0"):
        GraphCost(proto, "m.onnx")
