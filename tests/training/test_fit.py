"""Training: resumed runs have the same bits, the loss counts the right cells, little is printed."""

import logging
import random
import shutil
import warnings

import numpy as np
import pytest
import torch

from landstep.emulator.card import Weights
from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError, ModelError
from landstep.emulator.features import INPUT_NAMES
from landstep.training import fit
from landstep.training.checkpoint import load_checkpoint
from landstep.training.config import FitTable, SamplesTable, load_config
from landstep.training.fit import Fitting, train
from landstep.training.fitting import batch_logits, fitted
from landstep.training.held_out import HeldOut, left_out_cells
from landstep.training.loss import loss_of
from landstep.training.network import LandUseNetwork
from landstep.training.patches import collate
from landstep.training.samples import Samples


class Stopped(Exception):
    """Stands for whatever ends a training half-way."""


def stop_after(monkeypatch, step):
    """End the training, as a killed job does, in the step after `step`."""
    whole = Fitting.training_step

    def training_step(self, batch, batch_idx):
        if self.trainer.global_step == step:
            raise Stopped
        return whole(self, batch, batch_idx)

    monkeypatch.setattr(Fitting, "training_step", training_step)
    return lambda: monkeypatch.setattr(Fitting, "training_step", whole)


def weights(path):
    """Give all weights and statistics of a checkpoint."""
    return torch.load(path, weights_only=True)["state_dict"]


def best_weights(path):
    """Give the weights of the best change skill so far."""
    return torch.load(path, weights_only=True)["landstep"]["best"]


@pytest.mark.parametrize("step", [4, 7, 9])
def test_a_resumed_training_has_the_bits_of_a_straight_one(
    training_file, straight, tmp_path, monkeypatch, step
):
    undo = stop_after(monkeypatch, step)
    out = tmp_path / "stopped.ckpt"
    with pytest.raises(Stopped):
        train(training_file, output=out, progress=False)
    half = weights(out)
    whole = weights(straight)
    assert any(not torch.equal(half[name], value) for name, value in whole.items())
    undo()
    assert train(training_file, output=out, resume=True, progress=False) == out
    resumed = weights(out)
    assert resumed.keys() == whole.keys()
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name
    ends = [load_checkpoint(p).card for p in (out, straight)]
    assert ends[0].training["loss"] == ends[1].training["loss"]
    assert [step for step, _ in ends[0].training["change_skill"]] == [4, 8, 10]
    assert ends[0].training["change_skill"] == ends[1].training["change_skill"]
    assert ends[0].scores == ends[1].scores
    best = [best_weights(p) for p in (out, straight)]
    assert best[0] and all(torch.equal(best[0][name], best[1][name]) for name in best[1])


def test_a_training_that_is_stopped_again_and_again_has_the_bits_of_a_straight_one(
    training_file, straight, tmp_path, monkeypatch
):
    out = tmp_path / "stopped.ckpt"
    for number, step in enumerate((5, 8)):
        undo = stop_after(monkeypatch, step)
        with pytest.raises(Stopped):
            train(training_file, output=out, resume=number > 0, progress=False)
        undo()
    train(training_file, output=out, resume=True, progress=False)
    assert all(torch.equal(weights(out)[name], v) for name, v in weights(straight).items())
    skills = [load_checkpoint(p).card.training["change_skill"] for p in (out, straight)]
    assert skills[0] == skills[1] and len(skills[0]) == 3


def test_the_best_weights_before_a_stop_are_kept_after_it(training_file, monkeypatch):
    """Skills 0.5 and then 0.25 and 0: the first checkpoint's weights are the result."""
    scores = [0.4, 0.2, 0.4, 0.3, 0.4]  # untrained, after 4 steps; untrained, after 8, after 10
    monkeypatch.setattr(HeldOut, "brier", lambda self, network: scores.pop(0))
    undo = stop_after(monkeypatch, 6)
    with pytest.raises(Stopped):
        train(training_file, progress=False)
    out = training_file.parent / "made_up.ckpt"
    first = best_weights(out)
    undo()
    train(training_file, resume=True, progress=False)
    assert load_checkpoint(out).card.training["change_skill"] == [[4, 0.5], [8, 0.25], [10, 0.0]]
    found = load_checkpoint(out).network.state_dict()
    assert all(torch.equal(found[name], first[name]) for name in first if name != "sharpness")


def test_resuming_a_finished_training_changes_nothing(training_file, tmp_path):
    out = train(training_file, progress=False)
    assert out == tmp_path / "made_up.ckpt"
    before = weights(out)
    train(training_file, resume=True, progress=False)
    assert all(torch.equal(before[name], value) for name, value in weights(out).items())


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(
    training_file, straight, tmp_path
):
    first = weights(straight)
    random.seed(99), np.random.seed(99), torch.manual_seed(99)
    again = weights(train(training_file, output=tmp_path / "2.ckpt", progress=False))
    assert all(torch.equal(first[name], value) for name, value in again.items())
    training_file.write_text(training_file.read_text() + "seed = 1\n")
    other = weights(train(training_file, output=tmp_path / "3.ckpt", progress=False))
    assert any(not torch.equal(first[name], value) for name, value in other.items())


def test_training_learns_more_than_the_transition_table(training_file, region):
    text = training_file.read_text().replace("steps = 10", "steps = 120")
    training_file.write_text(text.replace("checkpoint_every = 4", "checkpoint_every = 60"))
    trained = load_checkpoint(train(training_file, progress=False))
    assert trained.card.training["steps_done"] == 120
    untrained = LandUseNetwork(trained.network.shape).eval()
    untrained.transition.copy_(trained.network.transition)
    table = SamplesTable(patch=40, batch=1, rollout=0.0, unmasked=1.0)
    unseen = Samples([region], [(2006, 2008), (2007, 2008)], table, seed=5, history=2)
    (batch,) = collate([unseen.draw(number) for number in range(16)])
    losses = []
    for network in (untrained, trained.network):
        with torch.no_grad():
            logits = fitted(network, batch_logits(network, batch), batch)
        of = loss_of(logits, batch["prior"], batch["target"], network.allowed, FitTable())
        losses.append(of.item())
    assert losses[1] < 0.9 * losses[0]


def test_the_transition_table_is_measured_on_the_training_pairs(training_file, straight, region):
    network = load_checkpoint(straight).network
    _, held = left_out_cells(region, load_config(training_file))
    pairs = [(y, y + lag) for lag in (1, 2) for y in range(2000, 2007 - lag)]
    of = {year: land_use[~held] for year, land_use in region.maps.items()}
    fell = sum(((of[a] == 4) & (of[b] == 2)).sum() for a, b in pairs)
    forest = sum((of[a] == 4).sum() for a, _ in pairs)
    share = network.transition[4, 2].exp().item()
    assert share == pytest.approx((fell + 1) / (forest + 8), rel=1e-5)


def test_the_card_records_what_the_network_was_made_from(straight, region):
    card = load_checkpoint(straight).card
    assert card.states == list(region.states)
    assert [(c.name, c.size) for c in card.categories] == [("soil_texture", 8), ("climate_zone", 4)]
    assert (card.history, card.direction, card.lags) == (2, "forward", [1, 2])
    assert card.weights == [Weights(years=1, stay_weight=1.0, new_weight=1.0, miss_price=0.1)]
    assert card.training["config"]["data"]["years"] == [2000, 2006]
    assert card.training["config"]["fit"]["seed"] == 0
    assert card.training["data"] == [{"experiment": "made up", "sha256": {"maps.nc": "0" * 64}}]
    assert card.training["torch"] == torch.__version__
    assert card.training["cpu_seconds"] > 0
    assert "/" not in card.model_dump_json().replace("year by year", "")
    ways = [(s["prior"], s["target"], s["way"]) for s in card.scores]
    assert ways == [
        (2006, 2007, "one step"),
        (2006, 2008, "one step"),
        (2006, 2008, "year by year"),
    ]
    for entry in card.scores:
        prior, truth = region.maps[entry["prior"]], region.maps[entry["target"]]
        land = prior != 0
        same = (prior == truth)[land].mean()
        assert entry["persistence"]["accuracy"] == pytest.approx(same, abs=1e-5)
        assert entry["persistence"]["figure_of_merit"] == 0
        assert set(entry["model"]) == set(entry["persistence"])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_real_tiles_are_kept_known_partly_and_wholly_masked(training_file, seed):
    training_file.write_text(f"{training_file.read_text()}seed = {seed}\n")
    known, partly, masked = load_checkpoint(train(training_file, progress=False)).tiles
    assert not (known["prior"] == MASKED).any()
    assert 0 < (partly["prior"] == MASKED).mean() < 1
    assert (masked["prior"] == MASKED).all() and (masked["history"] == MASKED).all()
    assert (partly["history"][:, :, partly["prior"][0] == MASKED] == MASKED).all()
    for tile in (known, partly, masked):
        assert tuple(tile) == INPUT_NAMES


@pytest.mark.parametrize("direction", ["backward", "both"])
def test_a_training_goes_back_in_time(training_file, region, direction):
    """The table counts the pairs as they are stepped; the card says which way, and scores it."""
    text = training_file.read_text().replace("[[2006, 2007], [2006, 2008]]", "[[2002, 1999]]")
    text = text.replace("history = 2", f'history = 2\ndirection = "{direction}"')
    training_file.write_text(text.replace("[2000, 2006]", "[2001, 2006]").replace("1999", "2000"))
    trained = load_checkpoint(train(training_file, progress=False))
    assert trained.card.direction == direction
    ways = [(s["prior"], s["target"], s["way"]) for s in trained.card.scores]
    assert ways == [(2002, 2000, "one step"), (2002, 2000, "year by year")]
    pairs = [(y + lag, y) for lag in (1, 2) for y in range(2001, 2007 - lag)]
    pairs += [(b, a) for a, b in pairs] if direction == "both" else []
    _, held = left_out_cells(region, load_config(training_file))
    of = {year: land_use[~held] for year, land_use in region.maps.items()}
    kept = sum(((of[a] == 2) & (of[b] == 2)).sum() for a, b in pairs)
    crops = sum((of[a] == 2).sum() for a, _ in pairs)
    share = trained.network.transition[2, 2].exp().item()
    assert share == pytest.approx((kept + 1) / (crops + 8), rel=1e-5)


@pytest.mark.parametrize(("line", "what"), [("seed = 5", "config"), ("rate = 0.1", "config")])
def test_a_checkpoint_of_another_training_file_is_not_resumed(training_file, straight, line, what):
    shutil.copy(straight, training_file.parent / "made_up.ckpt")
    training_file.write_text(training_file.read_text() + line + "\n")
    with pytest.raises(ConfigError, match=f"cannot be resumed, its {what} is"):
        train(training_file, resume=True, progress=False)


def test_resuming_from_nothing_is_an_error(training_file):
    with pytest.raises(ModelError, match=r"checkpoint not found: .*made_up\.ckpt"):
        train(training_file, resume=True, progress=False)


def test_an_output_folder_that_is_not_there_is_named(training_file, tmp_path):
    with pytest.raises(ConfigError, match="there is no folder .*nowhere"):
        train(training_file, output=tmp_path / "nowhere" / "x.ckpt")


def test_experiments_can_be_named_beside_the_training_file(training_file, region, monkeypatch):
    asked = []
    monkeypatch.setattr(fit, "load_region", lambda path, *_: asked.append(path) or region)
    train(training_file, experiments=["a.toml", "b.toml"], progress=False)
    assert [path.name for path in asked] == ["a.toml", "b.toml"]


def test_progress_is_plain_lines_and_silence_is_silence(training_file, capfd, monkeypatch):
    with warnings.catch_warnings(record=True) as heard:
        train(training_file, progress=False)
    assert capfd.readouterr() == ("", "")
    assert heard == []
    train(training_file, progress=True)
    out, err = capfd.readouterr()
    assert err == ""
    assert out.splitlines()[-1].startswith("step 10 of 10, loss ")
    assert out.rstrip().endswith("0 s left")
    assert logging.getLogger("lightning.pytorch").level != logging.ERROR


def test_nothing_but_the_checkpoint_is_written(training_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(training_file, progress=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["made_up.ckpt", "made_up.toml"]


def test_settings_of_the_caller_are_given_back(training_file):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    train(training_file, progress=False)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_training_takes_its_config_from_memory_too(training_file, straight, tmp_path):
    """As a cross-validation does, which trains once a fold."""
    from_file = weights(straight)
    config = load_config(training_file)
    again = weights(train(config, output=tmp_path / "2.ckpt", progress=False))
    assert all(torch.equal(from_file[name], value) for name, value in again.items())
    data = config.data.model_copy(update={"fold": (1, 5)})
    changed = config.model_copy(update={"data": data})
    out = train(changed, output=tmp_path / "3.ckpt", progress=False)
    assert load_checkpoint(out).card.training["config"]["data"]["fold"] == [1, 5]
    assert any(not torch.equal(from_file[name], value) for name, value in weights(out).items())


def test_priors_learned_from_have_the_maps_before_them(training_file, region, monkeypatch):
    """With least_history 2 the first prior is that of 2002, and both maps before it are seen."""
    text = training_file.read_text().replace("history = 2", "history = 2\nleast_history = 2")
    training_file.write_text(text.replace("[samples]", "[samples]\nunmasked = 1.0\nrollout = 0.5"))
    seen = []
    whole = Fitting.training_step

    def training_step(self, batch, batch_idx):
        seen.extend(batch[-1]["history"])
        return whole(self, batch, batch_idx)

    monkeypatch.setattr(Fitting, "training_step", training_step)
    train(training_file, progress=False)
    assert len(seen) == 20 and not any((history == MASKED).any() for history in seen)


def test_steps_of_its_own_are_drawn_anew_for_each_sample(training_file, monkeypatch):
    """All batches step by themselves: each sample has noise of its own, whatever the batch."""
    text = training_file.read_text().replace("[samples]", "[samples]\nrollout = 1.0")
    training_file.write_text(text)
    seeds, own_prior = [], fit.own_prior

    def note(network, steps, noise):
        assert [len(step["prior"]) for step in steps] == [2, 2, 2]
        seeds.append([one.initial_seed() for one in noise])
        return own_prior(network, steps, noise)

    monkeypatch.setattr(fit, "own_prior", note)
    train(training_file, progress=False)
    assert seeds == [[2 * step, 2 * step + 1] for step in range(10)]


def test_a_batch_that_processes_cannot_share_evenly_is_refused(training_file, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match="samples.batch 2 on 3 processes: expected a multiple"):
        train(training_file, progress=False)
