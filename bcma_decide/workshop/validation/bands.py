"""Published figures of a product's own patients, and the band in which the headline for such a patient lies.

They stand in ``evidence/published_bands.yaml``. A number outside its band has a reason there, which names a row or a
table that is missing. Nothing is fitted to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from bcma_decide.comparing.compare import compare
from bcma_decide.comparison import Estimate
from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.patient.files import build
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import OUTCOMES, Design
from bcma_decide.workshop.evidence.catalogue import read_shape
from bcma_decide.workshop.evidence.schema import Identifier, Number, Strict
from bcma_decide.workshop.validation.shapes import BandResult

FILE: Final = "published_bands.yaml"

Ends = tuple[Number, Number]


class Band(Strict):
    """One profile, one number, and where it lies.

    Exactly one of ``band`` (of the headline), ``difference`` (headline of ``other`` minus that of ``profile``),
    ``width`` (of the 95 % interval) and ``number: none`` (no number is given); ``or_number: none`` goes with a band.
    All but the profiles are fractions.
    """

    id: Identifier
    setting: Literal["real-world", "trial"]
    profile: dict[str, Any]
    other: dict[str, Any] | None = None
    option: Identifier
    outcome: Identifier
    band: Ends | None = None
    difference: Ends | None = None
    width: Ends | None = None
    number: Literal["none"] | None = None
    or_number: Literal["none"] | None = None
    published: str = Field(min_length=3)
    studies: tuple[Identifier, ...] = ()
    """Studies of the evidence that hold the published figure."""
    reason: str = ""
    """Why the number lies outside, where it does."""

    @model_validator(mode="after")
    def _one_question(self) -> Band:
        asked = [self.band, self.difference, self.width, self.number]
        if sum(each is not None for each in asked) != 1:
            raise ValueError("give exactly one of band, difference, width and number: none")
        if (self.difference is None) != (self.other is None):
            raise ValueError("a difference needs the other profile, and only a difference has one")
        if self.outcome not in OUTCOMES:
            raise ValueError(f"unknown outcome {self.outcome!r}")
        return self


class Bands(Strict):
    """published_bands.yaml."""

    bands: tuple[Band, ...]


def load_bands(directory: Path) -> tuple[Band, ...]:
    """Read the bands of an evidence directory; raises EvidenceError with everything that does not fit."""
    problems: list[Problem] = []
    read = read_shape(directory / FILE, Bands, directory, problems)
    if read is None:
        raise EvidenceError(f"{FILE} does not follow its schema", problems)
    return read.bands


def held_to(bands: tuple[Band, ...], pooled: PooledEvidence) -> Iterator[BandResult]:
    """Every band with the number the comparison gives."""
    for band in bands:
        first = _estimate(band, band.profile, pooled)
        value, inside, wanted = _judged(band, first, pooled)
        yield BandResult(
            id=band.id,
            said=f"{band.option}, {band.outcome}, {band.setting}: {_words(band)}",
            value=value,
            wanted=wanted,
            inside=inside,
            published=band.published,
            reason="" if inside else band.reason,
        )


def _judged(band: Band, first: Estimate, pooled: PooledEvidence) -> tuple[float | None, bool, str]:
    """The number asked for, whether it is inside, and the band in words."""
    if band.number is not None:
        return first.mean, first.mean is None, "no number"
    if band.or_number is not None and first.mean is None:
        return None, True, "no number"
    value = first.mean
    if band.width is not None:
        value = None if first.credible is None else first.credible[1] - first.credible[0]
    elif band.other is not None:
        second = _estimate(band, band.other, pooled).mean
        value = None if value is None or second is None else second - value
    low, high = next(ends for ends in (band.band, band.difference, band.width) if ends is not None)
    wanted = f"{100 * low:g} to {100 * high:g}" + (" or no number" if band.or_number else "")
    return value, value is not None and low <= value <= high, wanted


def _estimate(band: Band, profile: Mapping[str, Any], pooled: PooledEvidence) -> Estimate:
    setting: Design = "interventional" if band.setting == "trial" else "real_world"
    comparison = compare(build(profile, pooled.definitions), setting=setting, pooled=pooled)
    outcome = next(each for each in comparison.outcomes if each.id == band.outcome)
    return outcome.estimates[band.option]


def _words(band: Band) -> str:
    known = _profile_words(band.profile)
    if band.other is None:
        return f"{known}; {'width of the interval' if band.width else 'headline'}"
    changed = {name: value for name, value in band.other.items() if band.profile.get(name) != value}
    return f"{known}; change with {_profile_words(changed)}"


def _profile_words(profile: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_value_words(value)}" for name, value in profile.items())


def _value_words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
