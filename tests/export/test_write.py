"""The exported file: the answers of torch, a whole file or none, no trace of its making."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from landstep.emulator.card import Card, manifest_path, write_manifest
from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import ModelError
from landstep.emulator.features import (
    INPUT_NAMES,
    OUTPUT_NAMES,
    Fields,
    class_shares,
)
from landstep.emulator.graph_checks import OPERATORS
from landstep.emulator.session import Session
from landstep.emulator.tiling import Cut
from landstep.export import verify as verify_module
from landstep.export import write as write_module
from landstep.export.verify import MARGIN, random_tiles, verify
from landstep.export.write import export_model, write_verified
from landstep.training.checkpoint import KEY, NETWORK_PREFIX, pack
from landstep.training.network import LandUseNetwork, NetworkShape

MODELS = Path(__file__).parents[1] / "models"
STATES = ["primf", "secdn", "urban", "c3ann", "pastr"]


def made_up_card(base=4, depth=2):
    """Give the card of a small hilda8 network."""
    of = scheme("hilda8")
    return Card(
        name="made up",
        landstep_version="0",
        scheme="hilda8",
        class_codes=list(of.codes),
        class_names=list(of.names),
        states=STATES,
        continuous=["elevation"],
        categories=[{"name": "soil_texture", "size": 8}, {"name": "climate_zone", "size": 5}],
        base=base,
        depth=depth,
        history=3,
        direction="both",
        lags=[1, 10],
    )


def made_up_network(card, seed=None):
    """Build an untrained network, or with a seed one with random weights and statistics."""
    network = LandUseNetwork(NetworkShape.of_card(card)).eval()
    network.set_scaling(np.array([400.0]), np.array([250.0]))
    if seed is not None:
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.running_mean.normal_(0, 0.2, generator=generator)
                    module.running_var.uniform_(0.5, 1.5, generator=generator)
            for head in (*network.head_features.parameters(), network.head_inputs.weight):
                head.normal_(0, 0.5, generator=generator)
    return network


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Write one random network once: (path, network, card)."""
    card = made_up_card()
    network = made_up_network(card, seed=4)
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    assert write_verified(network, card, (), path) == path
    return path, network, card


def test_the_file_opens_as_a_session_and_agrees_with_torch(exported):
    path, network, card = exported
    session = Session.open(path)
    assert session.card == card
    agreement = verify(session, network, (), seed=11)
    assert agreement.tiles == 3
    assert agreement.largest_difference <= 1e-4
    assert agreement.flips == 0


def test_the_manifest_pins_the_bytes(exported):
    path, _, _ = exported
    content = path.read_bytes()
    record = json.loads(manifest_path(path).read_text())
    assert record["sha256"] == hashlib.sha256(content).hexdigest()
    assert record["bytes"] == len(content)
    assert sorted(p.name for p in path.parent.iterdir()) == ["model.onnx", "model.onnx.json"]


def test_the_graph_holds_allowed_operators_and_no_trace_of_its_making(exported):
    proto = onnx.load(exported[0])
    assert {node.op_type for node in proto.graph.node} <= OPERATORS
    assert not {"BatchNormalization", "ConvTranspose"} & {n.op_type for n in proto.graph.node}
    assert tuple(value.name for value in proto.graph.input) == INPUT_NAMES
    assert tuple(value.name for value in proto.graph.output) == OUTPUT_NAMES
    content = exported[0].read_bytes()
    for trace in (b".py", b"stack_trace", b"/home", b"site-packages"):
        assert trace not in content


def kind_of(path):
    """Say what a file is made of, whatever its network: operators, their set, ends, its maker."""
    proto = onnx.load(path)
    ends = [[value.name for value in side] for side in (proto.graph.input, proto.graph.output)]
    sets = [(used.domain, used.version) for used in proto.opset_import]
    return {node.op_type for node in proto.graph.node}, sets, ends, proto.producer_name


def test_the_stored_models_are_of_the_kind_that_is_written_today(exported):
    """Else tests/export/test_stored_models.py says how they are written anew."""
    stored = sorted(MODELS.glob("*.onnx"))
    assert len(stored) > 1
    for path in stored:
        assert kind_of(path) == kind_of(exported[0]), path


@pytest.mark.parametrize("core", [8, 12, 20])
def test_windows_with_their_halo_have_the_bits_of_the_whole(exported, core):
    path, _, card = exported
    session = Session.open(path)
    rng = np.random.default_rng(8)
    y, x = 76, 92
    prior = rng.choice([0, 1, 2, 3, 4, 5, 7, MASKED], (y, x)).astype(np.uint8)
    states = rng.dirichlet(np.ones(len(card.states) + 1), (11, 14))[..., :-1]
    forcing = np.moveaxis(states, -1, 0).astype(np.float32)
    history = rng.choice([1, 2, 3, MASKED], (3, y, x)).astype(np.uint8)
    place = np.arange(y) // 7, np.arange(x) // 7, (11, 14), 8
    whole = Fields(
        prior=prior,
        history=history,
        years=-10,
        continuous=rng.normal(400, 250, (1, y, x)).astype(np.float32),
        categories=rng.integers(0, 5, (2, y, x)).astype(np.uint8),
        forcing=forcing,
        forcing_change=(0.02 * forcing[::-1]).copy(),
        prior_shares=class_shares(prior, *place),
        row=place[0],
        col=place[1],
    )
    logits = session.run(whole.inputs())["logits"][0]
    tiled = np.full_like(logits, np.nan)
    everywhere = np.ones((y, x), bool)
    cut = Cut((y, x), card.stride, card.halo, False)
    for window in cut.over(*place[:2], core, everywhere):
        window.write(tiled, session.run(whole.cut(window))["logits"][0])
    assert np.array_equal(tiled, logits)


def test_a_batch_answers_as_its_windows_one_by_one(exported):
    path, network, _ = exported
    session = Session.open(path)
    tile = list(random_tiles(network, np.random.default_rng(5)))[1]
    other = {name: a if name in ("row", "col") else a[..., ::-1].copy() for name, a in tile.items()}
    other["years"] = np.array([3], np.float32)
    both = {
        name: a if name in ("row", "col") else np.concatenate([a, other[name]])
        for name, a in tile.items()
    }
    together = session.run(both)
    for index, inputs in enumerate((tile, other)):
        alone = session.run(inputs)
        for name in OUTPUT_NAMES:
            assert np.array_equal(together[name][index], alone[name][0])


@pytest.fixture
def untrained_checkpoint(tmp_path):
    """Write the checkpoint of an untrained network, with one real tile in it."""
    card = made_up_card()
    network = made_up_network(card)
    tiles = (next(random_tiles(network, np.random.default_rng(6))),)
    weights = {NETWORK_PREFIX + name: value for name, value in network.state_dict().items()}
    path = tmp_path / "untrained.ckpt"
    torch.save({"state_dict": weights, KEY: pack(card, tiles)}, path)
    return path


def test_a_checkpoint_is_exported_with_its_card_and_the_scores_given(
    exported, untrained_checkpoint, tmp_path, monkeypatch
):
    seen = []

    def note(network, card, tiles, out):
        seen.extend([card.scores, len(tiles)])
        return out

    monkeypatch.setattr(write_module, "write_verified", note)
    out = tmp_path / "model.onnx"
    assert export_model(untrained_checkpoint, out, scores=[{"accuracy": 0.5}]) == out
    export_model(untrained_checkpoint, out)
    assert seen == [[{"accuracy": 0.5}], 1, [], 1]
    with pytest.raises(ModelError, match=r"checkpoint not found: .*nowhere\.ckpt"):
        export_model(tmp_path / "nowhere.ckpt", out)


def test_untrained_file_gives_the_prior_map_and_the_mix_where_masked(exported, tmp_path):
    """Untrained is what the zero head of a new network says, whatever the rest of it."""
    network = made_up_network(made_up_card())
    for weights in (*network.head_features.parameters(), network.head_inputs.weight):
        assert not weights.any()
    proto = onnx.load(exported[0])
    for weights in proto.graph.initializer:
        if weights.name.startswith("head.out."):
            zeros = np.zeros_like(onnx.numpy_helper.to_array(weights))
            weights.CopyFrom(onnx.numpy_helper.from_array(zeros, weights.name))
    path = tmp_path / "untrained.onnx"
    path.write_bytes(proto.SerializeToString())
    write_manifest(path)
    session = Session.open(path)
    matrix = scheme("hilda8").mix_matrix(STATES).astype(np.float64)
    for inputs in random_tiles(network, np.random.default_rng(2)):
        prior = inputs["prior"][0]
        states = inputs["forcing"][0].astype(np.float64)
        states = np.concatenate([states, 1 - states.sum(0, keepdims=True)])
        mix = np.einsum("fyx,fk->kyx", states, matrix)
        mix[:, inputs["forcing"][0].sum(0) == 0] = np.array([0, 1, 1, 1, 1, 1, 1, 0])[:, None]
        commonest = 1 + mix[1:].argmax(0)
        painted = commonest[inputs["row"]][:, inputs["col"]]
        expected = np.where(prior == MASKED, painted, prior)
        assert np.array_equal(session.run(inputs)["land_use"][0], expected)


def perturbed(path, weight, amount):
    """Read an exported file and move one number of one of its weights."""
    proto = onnx.load(path)
    tensor = next(t for t in proto.graph.initializer if t.name.endswith(weight))
    values = onnx.numpy_helper.to_array(tensor).copy()
    values.flat[0] += amount
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    return proto


@pytest.mark.parametrize(
    ("weight", "amount"),
    [("head.out.0.bias", 3e-4), ("head.of_planes.0.weight", 0.1), ("narrow.0.weight", 0.3)],
)
def test_a_graph_that_differs_is_not_written(exported, tmp_path, monkeypatch, weight, amount):
    path, network, card = exported
    monkeypatch.setattr(write_module, "to_onnx", lambda *_: perturbed(path, weight, amount))
    with pytest.raises(ModelError, match="differs from torch"):
        write_verified(network, card, (), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_refused_export_leaves_the_file_before_it(exported, tmp_path, monkeypatch):
    path, network, card = exported
    out = tmp_path / "model.onnx"
    out.write_bytes(b"the one before")
    wrong = perturbed(path, "head.out.0.bias", 0.5)
    monkeypatch.setattr(write_module, "to_onnx", lambda *_: wrong)
    with pytest.raises(ModelError, match="differs from torch"):
        write_verified(network, card, (), out)
    assert out.read_bytes() == b"the one before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_graph_that_differs_on_real_tiles_alone_is_not_written(exported, tmp_path, monkeypatch):
    path, network, card = exported
    tile = next(random_tiles(network, np.random.default_rng(3)))
    proto = perturbed(path, "head.out.0.bias", 0.5)
    monkeypatch.setattr(write_module, "to_onnx", lambda *_: proto)
    monkeypatch.setattr(verify_module, "random_tiles", lambda *_: iter(()))
    with pytest.raises(ModelError, match="tile 0 of"):
        write_verified(network, card, (tile,), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_class_is_refused_even_where_logits_agree(exported):
    path, network, _ = exported
    session = Session.open(path)

    class Flipped:
        def run(self, inputs):
            found = session.run(inputs)
            return {**found, "land_use": (found["land_use"] + 1) % 8}

    with pytest.raises(ModelError, match=f"margin exceeds {MARGIN}"):
        verify(Flipped(), network, ())


def test_a_logit_that_is_no_number_is_refused(exported, monkeypatch):
    path, network, _ = exported
    session = Session.open(path)

    class Broken:
        def run(self, inputs):
            return {**session.run(inputs), "logits": np.float32(np.nan)}

    monkeypatch.setattr(verify_module, "RANDOM_SIZES", ((1, 1),))
    with pytest.raises(ModelError, match="logits by up to nan"):
        verify(Broken(), network, ())


def test_a_weight_that_is_no_number_is_refused(tmp_path):
    card = made_up_card()
    network = made_up_network(card)
    with torch.no_grad():
        network.head_features.bias[2] = torch.nan
    with pytest.raises(ModelError, match=r"head_features\.bias is not a finite number"):
        write_verified(network, card, (), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path, exported, monkeypatch):
    _, network, card = exported
    proto = onnx.load(exported[0])
    monkeypatch.setattr(write_module, "to_onnx", lambda *_: proto)
    with pytest.raises(ModelError, match=r"nowhere/model\.onnx: cannot be written: No such file"):
        write_verified(network, card, (), tmp_path / "nowhere" / "model.onnx")
