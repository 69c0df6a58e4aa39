"""A comparison as one self-contained HTML page: no script, nothing loaded, for every reader."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from bcma_decide.comparison import Comparison, Estimate, Explanation, Interval, Outcome, Reference
from bcma_decide.render import arrange, rule_view, sentences, wording

if TYPE_CHECKING:
    from jinja2 import Template

LINE = 240
"""Length of the line from 0 to 100 in the template's drawing."""

_SHAPES = {
    "contraindication": "■",
    "caution": "▲",
    "information": "●",
    "cannot_be_judged": "?",
    "met": "✓",
    "not_met": "✗",
}
_TEMPLATES = Path(__file__).parent / "templates"


def render_html(comparison: Comparison) -> str:
    """Write a comparison as HTML; same comparison, same bytes.

    Parameters
    ----------
    comparison
        What to write; nothing else is looked up. All its text is escaped.
    """
    classes = arrange.class_options(comparison)
    page = _template().render(
        comparison=comparison,
        classes=classes,
        pair=classes if len(classes) == 2 else (),
        products=arrange.product_options(comparison),
        movers=arrange.movers(comparison),
        explained=tuple(_explained(comparison)),
    )
    return "\n".join(line.rstrip() for line in page.splitlines() if line.strip()) + "\n"


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.globals.update(
        wording=wording,
        arrange=arrange,
        sentences=sentences,
        rule_view=rule_view,
        strip=strip,
        links=links,
        shapes=_SHAPES,
    )
    return environment.get_template("comparison.html.j2")


def _printable(value: Any) -> Any:  # noqa: ANN401  # jinja passes whatever an expression gives
    return wording.visible(value) if type(value) is str else value


def _explained(comparison: Comparison) -> list[tuple[Outcome, Explanation, tuple[int, ...]]]:
    by_outcome = {outcome.id: outcome for outcome in comparison.outcomes}
    return [
        (by_outcome[entry.outcome], entry, arrange.weights(entry))
        for entry in comparison.explanations
        if entry.outcome in by_outcome
    ]


def strip(estimate: Estimate) -> dict[str, str] | None:
    """Where the marks of an estimate stand on a line of the drawing's width, to one decimal."""
    if estimate.median is None or estimate.credible is None or not wording.has_number(estimate):
        return None
    outer: Interval = estimate.prediction or estimate.credible
    ends = {
        "low": outer[0],
        "high": outer[1],
        "inner_low": estimate.credible[0],
        "inner_high": estimate.credible[1],
    }
    return {name: f"{LINE * value:.1f}" for name, value in {**ends, "at": estimate.median}.items()}


def links(reference: Reference) -> tuple[tuple[str, str], ...]:
    """Text and target of a reference's links; addresses that are not web pages are left out."""
    found = []
    if reference.pmid:
        found.append((f"PMID {reference.pmid}", f"https://pubmed.ncbi.nlm.nih.gov/{reference.pmid}/"))
    if reference.doi:
        found.append((f"doi {reference.doi}", f"https://doi.org/{quote(reference.doi, safe='/:;().-_')}"))
    if reference.url and _is_web(reference.url):
        found.append((reference.url, reference.url))
    return tuple(found)


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
