"""Markdown: headings, tables, and what is left out where it was not measured."""

from landstep.evaluation.score_markdown import heading, markdown_table, score_lines
from landstep.evaluation.tables import Table

ABOUT = {
    "experiment": "small",
    "train_until": None,
    "notes": ["First.", "Second."],
    "known_quantities": False,
}
RUN = {
    "start": 2001,
    "years": 2,
    "quotas": "soft",
    "changed_at_end": 0.25,
    "patches": {"end": {"forest": {"patches": 2, "mean": 3.0}}},
}


def test_a_table_is_written_line_by_line():
    of = Table(("a", "b"), [["x", 0.5], ["y", None], ["z", 1234]])
    assert markdown_table(of) == [
        "| a | b |",
        "|---|---|",
        "| x | 0.5000 |",
        "| y | \u2013 |",
        "| z | 1\u2009234 |",
    ]


def test_a_heading_says_what_must_be_read_with_it():
    assert heading(3, "2001 to 2002", "an upper bound") == [
        "",
        "### 2001 to 2002 (an upper bound)",
        "",
    ]
    assert heading(2, "Scores") == ["", "## Scores", ""]


def test_a_free_run_alone_has_no_scores_of_pairs_and_a_forecast_no_upper_bound():
    lines = score_lines({"about": ABOUT, "free_run": {"forced": RUN}})
    assert [line for line in lines if line.startswith("#")] == ["## Scores", "## Free run"]
    assert "- First." in lines and "- Second." in lines
    assert "| free run | soft | 2 | 0.2500 | \u2013 | 3.0000 |" in lines
    assert not [line for line in lines if "upper bound" in line]
