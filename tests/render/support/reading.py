"""How the tests read what a face printed, and what must never stand in it."""

from __future__ import annotations

import io
import re

from rich.console import Console

from bcma_decide.render.words import wording

DIRECTIVE = re.compile(
    r"\b(best|worst|recommend\w*|should|safe|safer|safest|safety|proven|superior|inferior|winner|prefer\w*)\b",
    re.IGNORECASE,
)
"""Words that would tell the reader what to do. *PR or better* is a response category."""


def printed(render, width, *, encoding="utf-8", **options):
    """What a console of this width and encoding gets, not being a terminal."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    render(Console(file=file, width=width, **options))
    file.flush()
    return raw.getvalue().decode(encoding)


def words(text):
    """The text with any run of blanks as one, so that wrapping does not matter."""
    return " ".join(text.split())


def numbers_of(estimate):
    """Everything an estimate has to show."""
    if not wording.has_number(estimate):
        return []
    found = [
        wording.count(estimate.mean),
        wording.interval(estimate.credible),
        wording.interval(estimate.prediction),
    ]
    if estimate.from_decision:
        found += [
            wording.count(estimate.from_decision.mean),
            wording.interval(estimate.from_decision.credible),
        ]
    return found


def numbers_of_contrast(contrast):
    """Everything a difference has to show."""
    value = contrast.risk_difference
    return [
        wording.signed(value.mean),
        wording.signed_interval(value.interval),
        wording.percent(contrast.probability_first_higher),
    ]


GERMAN_DIRECTIVE = re.compile(
    r"\b(beste[nrsm]?|schlecht\w*|empf(?:ehl|iehl|ohl)\w*|soll(?:ten?|te[sn]t)?|sicher(?:e[nrsm]?|er\w*|heit\w*)?"
    r"|bewährt\w*|bewiesen\w*|bevorzug\w*|überlegen\w*|unterlegen\w*|vorzuziehen|gewinn\w*|besser\w*|raten|rät)\b",
    re.IGNORECASE,
)
"""German words that would tell the reader what to do; *unsicher* is not one of them."""
