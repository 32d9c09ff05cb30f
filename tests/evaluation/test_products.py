"""Cautions go by the source that the file of the maps names."""

from dataclasses import replace

import numpy as np
import pytest

from landstep.data.series import brazil_series, sweden_series
from landstep.data.series_files import Series, write_experiment
from landstep.emulator.classes import scheme
from landstep.evaluation.baselines import Persistence
from landstep.evaluation.case import open_case
from landstep.evaluation.pairs import score_pair
from landstep.evaluation.products import AHEAD, caution, product_of


def test_one_year_of_hilda_carries_no_claim_and_more_years_do(case):
    hilda = replace(case, source="HILDA+ vGLOB-1.0 (Winkler et al. 2021), southern Sweden")
    assert "partly interpolated" in caution(hilda, 2003, 2004)["caution"]
    assert "no claim" in caution(hilda, 2004, 2003)["caution"]
    assert caution(hilda, 2003, 2005) == {}
    assert caution(case, 2003, 2004) == {}


def test_a_scored_pair_says_its_caution(case):
    hilda = replace(case, source="HILDA+ vGLOB-1.0")
    for year, said in ((2008, True), (2009, False)):
        table = score_pair(hilda, 2007, year, [Persistence()]).as_dict()
        assert ("caution" in table) == said
    assert "caution" not in score_pair(case, 2007, 2008, [Persistence()]).as_dict()


def test_only_mapbiomas_is_said_to_look_forward():
    assert "MapBiomas" in product_of("MapBiomas collection 2.3, Brazil").ahead
    for other in ("HILDA+ vGLOB-1.0", "a made-up world", ""):
        assert product_of(other).ahead == AHEAD


def test_the_case_knows_the_source_of_its_file(world, tmp_path):
    shape = 10, 13
    series = Series(
        name="small",
        scheme=scheme("sweden5"),
        variant="series",
        block=5,
        source="HILDA+ vGLOB-1.0, a made-up corner",
        licence="none",
        years=np.array([2000, 2001]),
        codes=np.full((2, *shape), 4, np.uint8),
        lat_deg=60 - np.arange(10) / 100,
        lon_deg=15 + np.arange(13) / 100,
        elevation=np.ones(shape, np.float32),
        soil_texture=np.ones(shape, np.uint8),
        climate_zone=np.ones(shape, np.uint8),
    )
    case = open_case(write_experiment(series, tmp_path / "small"))
    assert case.source == series.source
    assert caution(case, 2000, 2001)
    assert open_case(world / "experiment.toml", [2015]).source == ""  # its file names none


@pytest.mark.parametrize(
    ("series", "one_year", "ahead"), [(sweden_series, True, False), (brazil_series, False, True)]
)
def test_the_real_series_are_told_by_their_source(series, one_year, ahead, real_data):
    product = product_of(series(real_data).source)
    assert bool(product.one_year) == one_year
    assert (product.ahead != AHEAD) == ahead
