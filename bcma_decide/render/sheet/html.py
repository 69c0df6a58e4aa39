"""A sheet as one self-contained HTML page: no script, nothing loaded, for the screen and for paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from bcma_decide.behind import Explanation
from bcma_decide.comparison import Comparison, Outcome, Reference, result_hash
from bcma_decide.render.sheet import figures
from bcma_decide.render.sheet.clinician_time import fans, published_times, ways
from bcma_decide.render.sheet.clinician_view import Room, clinician_view
from bcma_decide.render.sheet.patient_view import patient_view
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.sheet.templating import environment
from bcma_decide.render.words import (
    arrange,
    clock,
    language,
    order,
    preferences,
    published,
    quoted,
    record_view,
    rule_view,
    sentences,
    survival,
    terms,
    wording,
)

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES: Final = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True)
class Fit:
    """How a sheet is made to fit its paper.

    ``scales``: size of the text of the patient's first and second page, of the usual size. ``room``: what the
    clinician's pages have room for; their text has one size.
    """

    scales: tuple[float, float] = (1.0, 1.0)
    room: Room = field(default_factory=Room)


def render_html(comparison: Comparison, sheet: Sheet | None = None) -> str:
    """Write a sheet for the screen; printed from a browser it is the same as on paper.

    The clinician's page goes on, on the screen only, with everything behind the sheet: all outcomes, products,
    findings, practical facts, steps, studies and references.

    Parameters
    ----------
    comparison
        What to write; nothing else is looked up. All its text is escaped. Same comparison, same bytes.
    sheet
        For whom, in which language, on which paper.
    """
    sheet = sheet or Sheet()
    return _page(comparison, sheet, Fit(), on_screen=True)


def render_part(comparison: Comparison, sheet: Sheet, validation: str) -> str:
    """Write a sheet as part of another page: the same, without the page around it and without its styles.

    Its heading then has the second level, since the page has one of its own, and what is behind the sheet is left out,
    since such a page shows it apart (:func:`render_behind`). ``validation``: where that page's site says how good the
    numbers are.
    """
    return _page(comparison, sheet, Fit(), on_screen=True, alone=False, validation=validation)


BEHIND: Final = (
    "numbers",
    "time",
    "order_of_therapies",
    "findings",
    "labels",
    "practice",
    "scores",
    "explained_numbers",
)
"""Parts of what is behind a clinician's sheet, but for the list of sources, which is the same for everybody."""


def render_behind(comparison: Comparison) -> dict[str, str]:
    """Write everything behind a clinician's sheet in its parts, by the names of :data:`BEHIND`; some may be empty."""
    classes = arrange.class_options(comparison)
    shown = {
        "comparison": comparison,
        "classes": classes,
        "pair": classes if len(classes) == 2 else (),
        "view": {"published_times": published_times(comparison) if survival.is_computed(comparison) else ()},
        **_detail(comparison),
    }
    parts = _environment().get_template("detail.html.j2").make_module(shown)
    return {name: _tight(getattr(parts, name)()) for name in BEHIND}


def part_style(sheet: Sheet) -> str:
    """Write the styles of such a part, for the screen and for paper; the same for every comparison."""
    template = _environment().get_template(f"{sheet.audience}_style.css.j2")
    return template.render(sheet=sheet, fit=Fit(), on_screen=True, hash="")


def render_print(comparison: Comparison, sheet: Sheet, fit: Fit) -> str:
    """Write a sheet as the page a PDF is laid out from: paper only, in the packaged fonts."""
    return _page(comparison, sheet, fit, on_screen=False)


def _page(
    comparison: Comparison, sheet: Sheet, fit: Fit, *, on_screen: bool, alone: bool = True, validation: str = ""
) -> str:
    classes = arrange.class_options(comparison)
    shared = {
        "comparison": comparison,
        "sheet": sheet,
        "fit": fit,
        "on_screen": on_screen,
        "alone": alone,
        "validation": validation,
        "lang": sheet.language,
        "hash": result_hash(comparison),
        "classes": classes,
        "pair": classes if len(classes) == 2 else (),
    }
    with language.speaking(sheet.language):
        if sheet.audience == "patient":
            text = _environment().get_template("patient.html.j2").render(view=patient_view(comparison, sheet), **shared)
        else:
            if sheet.language != language.SOURCE:
                comparison = terms.spoken(comparison)
                classes = arrange.class_options(comparison)
                shared |= {"comparison": comparison, "classes": classes, "pair": classes if len(classes) == 2 else ()}
            detail = _detail(comparison) if on_screen and alone else {}
            view = clinician_view(comparison, sheet, fit.room)
            text = _environment().get_template("clinician.html.j2").render(view=view, **shared, **detail)
    return _tight(text)


def _tight(text: str) -> str:
    """Without empty lines and what is left of the template at the ends of others."""
    plain = str(text)  # every step on markup would make markup again, which took as long as a tenth of the templates
    lines = [line.rstrip() for line in plain.splitlines() if line.strip()]
    return "\n".join(lines) + "\n" if lines else ""


def _detail(comparison: Comparison) -> dict[str, Any]:
    looks = {
        option.class_id: look for option, look in zip(arrange.class_options(comparison), figures.LOOKS, strict=False)
    }
    products = [option for option in comparison.options if option.kind == "product"]
    of_products = [looks[option.class_id] for option in products]
    timed = survival.is_computed(comparison)
    return {
        "products": arrange.product_options(comparison),
        "product_fans": fans(comparison, products, of_products) if timed else (),
        "product_ways": ways(comparison, products, of_products),
        "explained": tuple(_explained(comparison)),
        "class_looks": looks,
    }


@lru_cache(maxsize=1)
def _environment() -> Environment:
    found = environment(TEMPLATES, extensions=("jinja2.ext.i18n",))
    found.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )
    found.globals.update(
        wording=wording,
        arrange=arrange,
        sentences=sentences,
        published=published,
        quoted=quoted,
        order=order,
        survival=survival,
        clock=clock,
        preferences=preferences,
        record_view=record_view,
        rule_view=rule_view,
        figures=figures,
        language=language,
        links=links,
    )
    return found


def _explained(comparison: Comparison) -> list[tuple[Outcome, Explanation, tuple[int, ...]]]:
    by_outcome = {outcome.id: outcome for outcome in comparison.outcomes}
    return [
        (by_outcome[entry.outcome], entry, arrange.weights(entry))
        for entry in comparison.explanations
        if entry.outcome in by_outcome
    ]


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
