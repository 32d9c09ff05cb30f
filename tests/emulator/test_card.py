"""The model card and the manifest: round trips, and what is refused."""

import hashlib
import json

import pytest

from landstep.emulator.card import (
    METADATA_KEY,
    Card,
    Weights,
    manifest_path,
    read_manifest,
    write_manifest,
)
from landstep.emulator.errors import ModelError


def made_up_card(**changes):
    """Give a card of a network that does not exist."""
    values = {
        "name": "made up", "landstep_version": "0.1.0", "scheme": "sweden5",
        "class_codes": [0, 1, 2, 3, 4], "class_names": ["a", "b", "c", "d", "e"],
        "states": ["urban"], "continuous": ["elevation"],
        "categories": [{"name": "soil_texture", "size": 8}], "base": 4, "depth": 2,
        "history": 3, "direction": "both", "lags": [1, 5],
        "weights": [
            {"years": 1, "stay_weight": 0.5, "new_weight": 0.4, "miss_price": 0.2},
            {"years": 5, "stay_weight": 0.75},
        ],
        "sources": ["doi:10.1594/PANGAEA.921846"], "training": {"steps": 10},
        "scores": [{"years": 1, "model": 0.2, "persistence": 0.0}],
    }  # fmt: skip
    return Card(**(values | changes))


def test_a_card_goes_through_metadata_and_back():
    """Every field, unicode included."""
    card = made_up_card(name="på svenska")
    metadata = card.to_metadata()
    assert list(metadata) == ["landstep_card"]
    assert Card.from_metadata(metadata | {"other": "x"}, "m.onnx") == card


@pytest.mark.parametrize(
    ("depth", "stride", "reach", "halo"), [(2, 4, 23, 24), (3, 8, 51, 56), (4, 16, 107, 112)]
)
def test_the_halo_holds_the_receptive_field(depth, stride, reach, halo):
    """Reach measured by perturbing cells of such networks: 23, 51, 107 cells."""
    card = made_up_card(depth=depth)
    assert (card.stride, card.halo) == (stride, halo)
    assert card.halo >= reach


@pytest.mark.parametrize("lacking", ["history", "direction", "lags"])
def test_a_card_says_what_it_steps_from_and_how_far(lacking):
    """An older card says none of it."""
    values = made_up_card().model_dump()
    del values[lacking]
    with pytest.raises(ModelError, match=f"model card is not one.*: {lacking}: Field required"):
        Card.from_metadata({METADATA_KEY: json.dumps(values)}, "m.onnx")


@pytest.mark.parametrize(
    ("direction", "ways"), [("forward", [1]), ("backward", [-1]), ("both", [1, -1])]
)
def test_a_card_says_which_way_it_steps(direction, ways):
    card = made_up_card(direction=direction)
    assert [way for way in (1, -1) if card.steps(way)] == ways


def test_the_weights_of_a_lag_are_those_of_the_last_entry_that_it_reaches():
    card = made_up_card(weights=[{"years": 2}, {"years": 5, "new_weight": 0.3}, {"years": 9}])
    years = [card.weights_for(lag).years for lag in (1, 2, 4, 5, 8, 9, 40)]
    assert years == [2, 2, 2, 5, 5, 9, 9]
    assert card.weights_for(5) == Weights(years=5, stay_weight=1, new_weight=0.3, miss_price=0.1)


def test_a_card_that_names_no_weights_has_those_of_accuracy():
    values = made_up_card().model_dump()
    del values["weights"]
    whole = {"years": 1, "stay_weight": 1.0, "new_weight": 1.0, "miss_price": 0.1}
    assert [entry.model_dump() for entry in Card(**values).weights] == [whole]


def test_weights_whose_years_do_not_rise_are_named():
    values = made_up_card().model_dump() | {"weights": [{"years": 5}, {"years": 2}]}
    words = r"entries of years \[5, 2\], expected each to have more years than the last"
    with pytest.raises(ModelError, match=words):
        Card.from_metadata({METADATA_KEY: json.dumps(values)}, "m.onnx")


def test_a_file_without_a_card_is_refused():
    """It says who writes one."""
    with pytest.raises(ModelError, match="m.onnx: no model card.*`landstep export`"):
        Card.from_metadata({}, "m.onnx")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"card_version": 1}, "card_version"),
        ({"card_version": 2}, "card_version"),
        ({"card_version": 4}, "card_version"),
        ({"history": 0}, "history"),
        ({"lags": []}, "lags"),
        ({"lags": [1, 0]}, "lags.1"),
        ({"lags": [-1]}, "lags.0"),
        ({"stay_weight": 0.5}, "stay_weight"),
        ({"weights": []}, "weights"),
        ({"weights": [{"years": 0}]}, "weights.0.years"),
        ({"weights": [{"stay_weight": 1.0}]}, "weights.0.years"),
        ({"weights": [{"years": 1, "stay_weight": 1.5}]}, "weights.0.stay_weight"),
        ({"weights": [{"years": 1, "stay_weight": -0.1}]}, "weights.0.stay_weight"),
        ({"weights": [{"years": 1}, {"years": 2, "new_weight": 1.5}]}, "weights.1.new_weight"),
        ({"weights": [{"years": 1, "new_weight": -0.1}]}, "weights.0.new_weight"),
        ({"weights": [{"years": 1, "miss_price": -0.1}]}, "weights.0.miss_price"),
        ({"weights": [{"years": 1, "price": 1}]}, "weights.0.price"),
        ({"weights": [{"years": 1}, {"years": 1}]}, "weights"),
        ({"weights": [{"years": 5}, {"years": 2}]}, "weights"),
        ({"depth": "deep"}, "depth"),
        ({"depth": 10**9}, "depth"),
        ({"depth": 0}, "depth"),
        ({"base": 0}, "base"),
        ({"direction": "sideways"}, "direction"),
        ({"colour": "red"}, "colour"),
        ({"categories": [{"name": "soil", "size": 0}]}, "categories.0.size"),
    ],
)
def test_a_card_that_cannot_be_is_refused(change, place):
    """The message names the file and the field."""
    values = made_up_card().model_dump() | change
    with pytest.raises(ModelError, match=rf"m.onnx: model card is not one.*: {place}: "):
        Card.from_metadata({METADATA_KEY: json.dumps(values)}, "m.onnx")


def test_a_card_that_is_no_json_is_refused():
    """Whatever stands there, it is a ModelError."""
    with pytest.raises(ModelError, match="model card is not one that this version reads"):
        Card.from_metadata({METADATA_KEY: "{"}, "m.onnx")


def test_a_manifest_pins_the_bytes(tmp_path):
    """Size and sha256 as hashlib gives them."""
    model = tmp_path / "m.onnx"
    model.write_bytes(b"some bytes")
    assert write_manifest(model) == manifest_path(model) == tmp_path / "m.onnx.json"
    assert read_manifest(model) == {
        "file": "m.onnx",
        "bytes": 10,
        "sha256": hashlib.sha256(b"some bytes").hexdigest(),
        "card_version": 3,
    }


def test_a_missing_manifest_is_refused(tmp_path):
    """Row 6."""
    with pytest.raises(ModelError, match=r"m.onnx: its manifest m.onnx.json is missing"):
        read_manifest(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"bytes": 1}', b'{"bytes": "x", "sha256": ""}', b"\xff"],
)
def test_what_is_no_manifest_is_refused(tmp_path, content):
    """Any content that is not a manifest: a ModelError that names the file."""
    (tmp_path / "m.onnx.json").write_bytes(content)
    with pytest.raises(ModelError, match="m.onnx.json: not a manifest"):
        read_manifest(tmp_path / "m.onnx")


def test_a_folder_is_no_manifest(tmp_path):
    """Nor is what cannot be read at all."""
    (tmp_path / "m.onnx.json").mkdir()
    with pytest.raises(ModelError, match="m.onnx.json: not a manifest"):
        read_manifest(tmp_path / "m.onnx")
