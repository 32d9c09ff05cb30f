"""Land that is not learned from: where it lies, what is measured on it, how the training ends."""

import dataclasses

import numpy as np
import pytest
import torch

from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import ConfigError
from landstep.emulator.folds import folds
from landstep.training import fit, held_out
from landstep.training.checkpoint import load_checkpoint
from landstep.training.config import load_config, training_pairs
from landstep.training.draft import draft_card
from landstep.training.fit import Fitting, train
from landstep.training.fitting import batch_logits, fitted
from landstep.training.held_out import HeldOut, left_out_cells
from landstep.training.network import LandUseNetwork, NetworkShape, allowed_classes


def config_with(training_file, **changes):
    """Read the training file with lines added to its tables: data=..., samples=..., fit=...."""
    text = training_file.read_text()
    for table, lines in changes.items():
        assert f"[{table}]\n" in text
        text = text.replace(f"[{table}]\n", f"[{table}]\n{lines}\n")
    training_file.write_text(text)
    return load_config(training_file)


def changed_targets(region, where):
    """Give the region with other maps of 2006, the last year learned from, in some cells.

    2006 is a target only: nothing of it is given to the network in training.
    """
    land_use = region.maps[2006].copy()
    moving = where & ~np.isin(land_use, (0, 7))
    land_use[moving] = 1 + land_use[moving] % 6
    return dataclasses.replace(region, maps={**region.maps, 2006: land_use})


def trained_on(region, training_file, monkeypatch, name):
    """Train on another region; give the weights by name."""
    monkeypatch.setattr(fit, "load_region", lambda *_: region)
    out = train(training_file, output=training_file.parent / name, progress=False)
    return load_checkpoint(out).network.state_dict()


def same(first, second, but=()):
    """Say whether all weights and statistics are the same bits."""
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first if name not in but)


# --- where it lies ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def large(make_region):
    """Give a region of 20 x 25 coarse cells."""
    return make_region(shape=(140, 175), years=range(2000, 2002))


def test_held_out_land_is_whole_blocks_of_about_the_share_asked_for(large, training_file):
    """Blocks of three coarse cells, 21 fine ones: three quarters of a patch of 24, rounded."""
    config = config_with(training_file)
    fold, held = left_out_cells(large, config)
    land = large.maps[2000] != 0
    assert not fold.any() and not held[~land].any()
    assert held[land].mean() == pytest.approx(0.2, abs=0.03)
    for top in range(0, 140, 21):
        for left in range(0, 175, 21):
            here = (slice(top, top + 21), slice(left, left + 21))
            assert len(np.unique(held[here][land[here]])) <= 1
    assert np.array_equal(left_out_cells(large, config)[1], held)


@pytest.mark.parametrize("share", [0.1, 0.34, 0.5])
def test_other_shares_are_held_out_too(large, training_file, share):
    text = training_file.read_text().replace("held_out = 0.2", f"held_out = {share}")
    training_file.write_text(text)
    _, held = left_out_cells(large, load_config(training_file))
    assert held[large.maps[2000] != 0].mean() == pytest.approx(share, abs=0.04)


def test_a_fold_is_left_out_beside_the_land_that_is_held_out(large, training_file):
    config = config_with(training_file, data="fold = [2, 5]")
    fold, held = left_out_cells(large, config)
    land = large.maps[2000] != 0
    assert np.array_equal(fold, folds(large.row, large.col, land, 5) == 1)
    assert fold[land].mean() == pytest.approx(0.2, abs=0.03)
    assert held[land & ~fold].mean() == pytest.approx(0.2, abs=0.04)
    assert not (fold & held).any()


def test_nothing_is_held_out_where_nothing_is_to_be(large, training_file):
    training_file.write_text(training_file.read_text().replace("held_out = 0.2", "held_out = 0"))
    assert not np.any(left_out_cells(large, load_config(training_file)))


@pytest.mark.parametrize(
    ("table", "line", "words"),
    [
        ("data", "fold = [1, 9]", r"'made up', data.fold \[1, 9\]: 9 folds of 6 blocks of 4 "),
        ("samples", "", r"'made up', fit.held_out 0.1: 10 folds of 9 blocks of 3 .* larger"),
    ],
)
def test_land_too_small_to_be_dealt_out_is_named(region, training_file, table, line, words):
    text = training_file.read_text().replace("held_out = 0.2", "held_out = 0.1")
    training_file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        left_out_cells(region, config_with(training_file, **{table: line}))


# --- that it is not learned from --------------------------------------------------------------


@pytest.fixture
def one_epoch(training_file):
    """Have one checkpoint alone, so that no choice of the best weights comes in."""
    text = training_file.read_text().replace("checkpoint_every = 4", "checkpoint_every = 10")
    training_file.write_text(text)
    return training_file


def test_held_out_targets_change_no_weight(one_epoch, region, monkeypatch):
    """They decide on the sharpness alone; other targets do change the weights."""
    _, held = left_out_cells(region, load_config(one_epoch))
    plain = trained_on(region, one_epoch, monkeypatch, "plain.ckpt")
    other = trained_on(changed_targets(region, held), one_epoch, monkeypatch, "other.ckpt")
    assert same(plain, other, but=["sharpness"])
    assert plain["sharpness"] != other["sharpness"]
    rest = trained_on(changed_targets(region, ~held), one_epoch, monkeypatch, "rest.ckpt")
    assert not same(plain, rest, but=["sharpness"])
    assert not torch.equal(plain["transition"], rest["transition"])


def test_a_fold_that_is_left_out_is_not_seen_at_all(training_file, region, monkeypatch):
    """Weights, sharpness and all, change with other targets in another fold, not in this one."""
    config_with(training_file, data="fold = [1, 5]")
    number = folds(region.row, region.col, region.maps[2000] != 0, 5)
    plain = trained_on(region, training_file, monkeypatch, "plain.ckpt")
    own = changed_targets(region, number == 0)
    assert (own.maps[2006] != region.maps[2006]).mean() > 0.05
    assert same(plain, trained_on(own, training_file, monkeypatch, "own.ckpt"))
    other = changed_targets(region, number == 1)
    assert not same(plain, trained_on(other, training_file, monkeypatch, "other.ckpt"))


def test_what_is_learned_from_holds_no_target_of_the_fold_or_the_held_out(training_file, numbered):
    config = config_with(training_file, data="fold = [3, 5]", samples="rollout = 0.3")
    fold, held = left_out_cells(numbered, config)
    of = config.data
    pairs = training_pairs(of.years, of.lags, of.direction)
    fitting = Fitting(config, draft_card(config, [numbered]), [numbered], pairs)
    for number in range(30):
        target = fitting.samples.draw(number)[-1]
        cells = target["continuous"][0, 0].astype(int)
        assert np.array_equal(target["target"][0] == MASKED, (fold | held).ravel()[cells])
    seen = np.zeros(held.size, bool)
    for batch in fitting.held_out.batches:
        cells = batch["continuous"][:, 0].long().numpy()
        assert np.array_equal(batch["target"].numpy() != MASKED, held.ravel()[cells])
        assert (batch["prior"] != MASKED).all()
        seen[cells] = True
    assert seen[held.ravel()].mean() > 0.9


def test_each_lag_and_direction_is_checked_over_the_years(training_file, region):
    text = training_file.read_text().replace("lags = [1, 2]", "lags = [1, 2, 3]")
    training_file.write_text(text.replace("[data]", '[data]\ndirection = "both"'))
    config = load_config(training_file)
    pairs = training_pairs(config.data.years, config.data.lags, "both")
    found = held_out._checked(pairs)
    forward = [(2000, 2001), (2002, 2003), (2003, 2004), (2005, 2006)]
    assert {pair for pair in found if pair[1] - pair[0] == 1} == set(forward)
    by_lag = [sum(b - a == lag for a, b in found) for lag in (-3, -2, -1, 1, 2, 3)]
    assert by_lag == [4] * 6
    of = HeldOut([region], pairs, config, [left_out_cells(region, config)[1]])
    lags = np.concatenate([batch["years"].numpy() for batch in of.batches])
    assert set(lags.tolist()) == {-3, -2, -1, 1, 2, 3}
    assert 0 < len(lags) <= held_out.CHECKED_PATCHES


# --- what is measured on it -------------------------------------------------------------------


def network_of(region, seed=0):
    """Build a network of the region that changes some cells."""
    torch.manual_seed(seed)
    network = LandUseNetwork(NetworkShape(scheme("hilda8"), region.states, 1, (8, 4), 2, 4, 2))
    network.set_scaling(np.array([300.0]), np.array([100.0]))
    network.set_transitions(np.full((8, 8), 5) + 100 * np.eye(8))
    torch.nn.init.normal_(network.head_features.weight, 0, 0.5)
    torch.nn.init.normal_(network.head_inputs.weight, 0, 0.2)
    return network


def held_out_of(region, training_file):
    """Give what is held out of a region, with pairs of lags 1 and 2."""
    config = load_config(training_file)
    pairs = training_pairs(config.data.years, config.data.lags, "forward")
    return HeldOut([region], pairs, config, [left_out_cells(region, config)[1]])


class Given:
    """A network in name only, whose logits are given."""

    training = False
    allowed = allowed_classes(scheme("hilda8").fixed)
    transition = torch.zeros(1)

    def eval(self):
        """Do nothing."""

    def train(self, mode):
        """Do nothing."""


def given(monkeypatch, *batches):
    """Put batches of prior, target and logits in the place of what is held out; give it."""
    of = object.__new__(HeldOut)
    of.batches = [{"prior": p, "target": t, "logits": x} for p, t, x in batches]
    monkeypatch.setattr(held_out, "batch_logits", lambda network, batch: batch["logits"])
    monkeypatch.setattr(held_out, "fitted", lambda network, logits, batch: logits)
    return of


def test_the_score_of_the_probability_of_change_by_hand(monkeypatch):
    """Forest that stayed was to stay with 0.7, 0.4 and 0.6, forest that did not with 0.4; sea,
    unknown priors, unknown targets and new lakes do not count.
    """
    prior = torch.tensor([[4, 4, 4, 0, MASKED, 4, 4]], dtype=torch.uint8)[:, None]
    target = torch.tensor([[4, 4, 2, 0, 2, MASKED, 7]], dtype=torch.uint8)[:, None]
    stays = [0.7, 0.4, 0.4, 1.0, 0.5, 0.5, 0.5]
    logits = torch.full((1, 8, 1, 7), -1e4)
    for number, share in enumerate(stays):
        before = min(int(prior[0, 0, number]), 4)
        logits[0, before, 0, number] = np.log(share)
        logits[0, 1 if before else 0, 0, number] = np.log(1 - share) if before else 0.0
    more = torch.tensor([[4]], dtype=torch.uint8)[:, None]
    logit = torch.full((1, 8, 1, 1), -1e4)
    logit[0, 4], logit[0, 3] = np.log(0.6), np.log(0.4)
    of = given(monkeypatch, (prior, target, logits), (more, more, logit))
    expected = (0.3**2 + 0.6**2 + 0.4**2 + 0.4**2) / 4
    assert of.brier(Given()) == pytest.approx(expected, rel=1e-5)


def test_the_score_of_the_probability_of_change_by_brute_force(region, training_file):
    of, network = held_out_of(region, training_file), network_of(region)
    network.train()
    total, count, changed = 0.0, 0, 0
    with torch.no_grad():
        for batch in of.batches:
            network.eval()
            chance = fitted(network, batch_logits(network, batch), batch).softmax(1).numpy()
            network.train()
            prior, target = batch["prior"].numpy(), batch["target"].numpy()
            for n, y, x in zip(*np.nonzero(target != MASKED), strict=True):
                before, after = prior[n, y, x], target[n, y, x]
                if before in (0, 7) or after in (0, 7):
                    continue
                happened = float(before != after)
                total += (1 - chance[n, before, y, x] - happened) ** 2
                count, changed = count + 1, changed + int(happened)
    assert changed > 5
    assert of.brier(network) == pytest.approx(total / count, rel=1e-4)
    assert network.training and network.stem[1].training


def test_unknown_cells_of_real_maps_are_not_scored(region, training_file):
    """Their probability of change is not defined; the classes of the others still are scored."""
    holes = np.random.default_rng(3).random(region.shape) < 0.1
    maps = {year: np.where(holes, MASKED, m).astype(np.uint8) for year, m in region.maps.items()}
    maps[2006] = region.maps[2006]
    broken = dataclasses.replace(region, maps=maps)
    of, network = held_out_of(broken, training_file), network_of(region)
    assert any(((b["prior"] == MASKED) & (b["target"] < 8)).any() for b in of.batches)
    assert 0 < of.brier(network) < 1
    assert 0.25 <= of.sharpness(network) <= 4


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_sharpness_is_that_of_the_frequencies(monkeypatch, factor):
    """Targets are drawn with the odds of `factor` times the logits."""
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1, (2, 8, 120, 130)).astype(np.float32)
    logits[:, [0, 7]] = -1e4
    noise = rng.gumbel(size=logits.shape)
    target = (factor * logits + noise).argmax(1).astype(np.uint8)
    prior = np.full(target.shape, 4, np.uint8)
    of = given(monkeypatch, tuple(torch.from_numpy(a) for a in (prior, target, logits)))
    assert of.sharpness(Given()) == pytest.approx(factor, rel=0.04)


def test_logits_of_half_the_size_are_to_be_twice_as_sharp(region, training_file):
    of, network = held_out_of(region, training_file), network_of(region)
    plain = of.sharpness(network)
    assert 0.5 < plain < 1.9
    network.set_sharpness(0.5)
    assert of.sharpness(network) == pytest.approx(2 * plain, rel=0.03)


def test_logits_are_sharpened_by_four_at_most(monkeypatch):
    """Ten cells always right, by a small margin; and none right, by a large one."""
    logits = torch.zeros(1, 8, 1, 10)
    logits[:, 4] = 0.1
    prior = torch.full((1, 1, 10), 4, dtype=torch.uint8)
    right = given(monkeypatch, (prior, prior, logits)).sharpness(Given())
    assert right == pytest.approx(4, rel=0.03)
    wrong = given(monkeypatch, (prior, prior // 2, 100 * logits)).sharpness(Given())
    assert wrong == pytest.approx(0.25, rel=0.03)


# --- how the training ends --------------------------------------------------------------------


@pytest.fixture
def epochs(monkeypatch):
    """Keep the weights at the end of each epoch."""
    kept, whole = [], Fitting.on_train_epoch_end

    def on_train_epoch_end(self):
        weights = self.network.state_dict().items()
        kept.append({name: value.detach().clone() for name, value in weights})
        whole(self)

    monkeypatch.setattr(Fitting, "on_train_epoch_end", on_train_epoch_end)
    return kept


def scored_as(monkeypatch, *values):
    """Give out scores in turn, the untrained network's first."""
    left = list(values)
    monkeypatch.setattr(HeldOut, "brier", lambda self, network: left.pop(0))


def long(training_file, patience):
    """Make a training of 20 epochs."""
    text = training_file.read_text().replace("steps = 10", f"steps = 20\npatience = {patience}")
    training_file.write_text(text.replace("checkpoint_every = 4", "checkpoint_every = 1"))


def test_a_training_ends_when_the_change_skill_stops_to_grow(training_file, monkeypatch, epochs):
    """Skills 0.5, 0.75, 0.7, 0.75, 0.6: three epochs without a better one than the second."""
    long(training_file, patience=3)
    scored_as(monkeypatch, 0.4, 0.2, 0.1, 0.12, 0.1, 0.16)
    trained = load_checkpoint(train(training_file, progress=False))
    found = trained.card.training
    assert found["change_skill"] == [[1, 0.5], [2, 0.75], [3, 0.7], [4, 0.75], [5, 0.6]]
    assert found["steps_done"] == 5 and len(epochs) == 5
    assert same(trained.network.state_dict(), epochs[1], but=["sharpness"])
    assert not same(epochs[1], epochs[4])


def test_the_best_weights_are_kept_where_the_last_are_worse(training_file, monkeypatch, epochs):
    scored_as(monkeypatch, 0.4, 0.3, 0.1, 0.2)
    trained = load_checkpoint(train(training_file, progress=False))
    assert trained.card.training["change_skill"] == [[4, 0.25], [8, 0.75], [10, 0.5]]
    assert trained.card.training["steps_done"] == 10
    assert same(trained.network.state_dict(), epochs[1], but=["sharpness"])


def test_a_training_that_has_ended_early_is_not_taken_up_again(training_file, monkeypatch):
    long(training_file, patience=2)
    scored_as(monkeypatch, 0.4, 0.2, 0.3, 0.3, 0.4, 0.01)
    before = load_checkpoint(train(training_file, progress=False))
    assert before.card.training["steps_done"] == 3
    after = load_checkpoint(train(training_file, resume=True, progress=False))
    assert after.card.training["change_skill"] == before.card.training["change_skill"]
    assert same(after.network.state_dict(), before.network.state_dict())


def test_the_last_weights_are_kept_where_nothing_is_held_out(training_file, epochs):
    training_file.write_text(training_file.read_text().replace("held_out = 0.2", "held_out = 0"))
    trained = load_checkpoint(train(training_file, progress=False))
    assert trained.card.training["change_skill"] == []
    assert trained.network.sharpness == 1
    assert same(trained.network.state_dict(), epochs[-1])


def test_the_change_skill_and_the_sharpness_are_those_of_the_kept_weights(training_file, region):
    """Against the untrained network with the transition table: 1 - one's score / the other's."""
    trained = load_checkpoint(train(training_file, progress=False))
    of, network = held_out_of(region, training_file), trained.network
    untrained = LandUseNetwork(network.shape)
    untrained.transition.copy_(network.transition)
    sharpness = float(network.sharpness)
    network.set_sharpness(1.0)
    expected = 1 - of.brier(network) / of.brier(untrained)
    skills = [skill for _, skill in trained.card.training["change_skill"]]
    assert max(skills) == pytest.approx(expected, abs=2e-6)
    assert of.sharpness(network) == pytest.approx(sharpness, rel=1e-5)
