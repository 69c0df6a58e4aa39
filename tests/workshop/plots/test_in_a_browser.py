"""Figures in a real browser, with its letters: no words lie on other words, and none outside the drawing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bcma_decide.workshop.plots.forest import forest
from bcma_decide.workshop.plots.values import Forest, ForestGroup
from tests.workshop.plots.support.drawings import proportions, ratios

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(browser):
    return browser.new_page(viewport={"width": 1400, "height": 900})


BIAS = ("low", "high", "some", "unclear", None, "low", "low")
CLASHES = """
() => {
  const drawing = document.querySelector("svg"), frame = drawing.getBoundingClientRect();
  const all = [...drawing.querySelectorAll("text")].map(e => [e.lastChild.textContent, e.getBoundingClientRect()]);
  const inner = b => [b.left + 1, b.top + 3, b.right - 1, b.bottom - 3];
  const found = [];
  all.forEach(([words, box], place) => {
    if (box.left < frame.left || box.right > frame.right || box.bottom > frame.bottom) found.push("outside: " + words);
    const [l, t, r, b] = inner(box);
    for (const [others, other] of all.slice(place + 1)) {
      const [l2, t2, r2, b2] = inner(other);
      if (l < r2 && l2 < r && t < b2 && t2 < b) found.push(words + " on " + others);
    }
  });
  return found;
}
"""


def full(data: Forest, name: str) -> Forest:
    """The same with columns, judgements, notes and, where there is a line of no effect, sides."""
    columns, domains = ("dose", "a column with a long name", "year"), tuple(f"domain {n}" for n in range(7))
    groups = tuple(
        replace(
            group,
            studies=tuple(
                replace(study, label=f"{name} {study.label}", cells=("0.5", "words " * 8, "2019"), bias=BIAS)
                for study in group.studies
            ),
        )
        for group in data.groups
    )  # fmt: skip
    sides = None if data.reference is None else ("the first treatment with a long name", "the second")
    noted = replace(
        data.overall, note="tau2 0.313, I2 92 %, Q 152.23 (df 12), p <0.0001, average rate over studies 0.6 %"
    )
    notes = ("Test between groups (class): Q 39.59 (df 1), p <0.0001",)
    return replace(data, groups=groups, columns=columns, domains=domains, favours=sides, overall=noted, notes=notes)


@pytest.mark.parametrize("name", ["W", "A very long name of a study that goes on and on, with WIDE LETTERS, 2019"])
@pytest.mark.parametrize(
    "data",
    [
        proportions(3), proportions(14, grouped=True), proportions(60, grouped=True), ratios(),
        replace(ratios(), groups=(ForestGroup("", tuple(replace(each, weight=None) for each in ratios().studies)),)),
    ],
    ids=["3", "14 in groups", "60 in groups", "ratios", "without weights"],
)  # fmt: skip
def test_no_words_lie_on_others(page, data, name):
    for each in (data, full(data, name)):
        page.set_content(f"<body style='margin:0'>{forest(each)}</body>")
        assert page.evaluate(CLASHES) == []


def test_the_look_finds_what_it_looks_for(page):
    page.set_content(
        '<svg width="200" height="90"><text x="10" y="40">one word</text><text x="30" y="42">another</text>'
        '<text x="190" y="80">outside</text></svg>'
    )
    assert page.evaluate(CLASHES) == ["one word on another", "outside: outside"]
