"""Pieces of the report: numbers, marks, escapes; and what it says without matplotlib."""

import base64
import builtins

import pytest

from landstep.emulator.errors import DependencyError
from landstep.evaluation.drawing import matplotlib
from landstep.evaluation.page import (
    Section,
    cards,
    figure,
    fold,
    number,
    page,
    percent,
    section,
    table,
)


def test_numbers_are_written_for_reading():
    assert number(0.123456) == "0.1235"
    assert number(0.123456, 2) == "0.12"
    assert number(1234567) == "1\u2009234\u2009567"
    assert number(None) == "\u2013"
    assert number("never") == "never"
    assert (percent(0.25), percent(0.00221, 2)) == ("25 %", "0.22 %")


def test_the_best_of_a_column_is_bold_and_what_is_below_a_bar_is_marked():
    rows = [["model", 0.9, 0.2], ["other", 0.8, 0.1], ["none", None, 0.1]]
    text = table(["method", "a", "b"], rows, best={1: True, 2: False}, bar={1: 0.85})
    assert '<td class="best">0.9000</td><td>0.2000</td>' in text
    assert '<td class="below">0.8000</td><td class="best">0.1000</td>' in text
    assert text.count('<tr class="model">') == 1


def test_a_column_of_equals_has_no_best():
    assert "best" not in table(["m", "a"], [["x", 0.0], ["y", 0.0]], best={1: True})


def test_names_cannot_break_the_page():
    text = page("<b>", "a & b", "", [section("<i>", fold("<u>", table(["<s>"], [["<p>"]])))])
    for tag in ("<b>", "<i>", "<u>", "<s>", "<p>"):
        assert f"{tag}" not in text.replace('<p class="lead">', "").replace("<p>a", "")
    assert "a &amp; b" in text
    assert "&lt;x&gt;" in cards([("<x>", "what", True)])


def test_a_remark_stands_at_title_tables_and_pictures():
    body = [table(["m"], [["x"]]), fold("more", table(["m"], [["y"]])), figure(b"p", "what")]
    plain = section("Scores", *body)
    said = Section(plain.title, plain.body, "read <this>").html("part0")
    assert '<h2 id="part0">Scores <small>read &lt;this&gt;</small></h2>' in said
    assert said.count("<table><caption>read &lt;this&gt;</caption>") == said.count("<table>") == 2
    assert "<figcaption><em>read &lt;this&gt;</em>" in said
    assert "small" not in plain.html("part0") and "<caption>" not in plain.html("part0")


def test_a_picture_lies_in_the_page_itself():
    text = figure(b"picture", 'what "it" is')
    assert base64.b64encode(b"picture").decode() in text
    assert 'alt="what &quot;it&quot; is"' in text


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match=r"landstep\[evaluate\]"):
        matplotlib()
