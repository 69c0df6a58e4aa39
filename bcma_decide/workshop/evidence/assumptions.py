"""Shapes of the files that hold judgements: assumptions, trait correlations, pooled effects of other reviews."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.vocabulary import FAMILIES, MODEL_TRAIT_IDS, PFS, THRESHOLDS, Basis, ClassId
from bcma_decide.workshop.evidence.schema import Identifier, Number, Strict


class Assumption(Strict):
    """A value that no published figure settles, with the reason for it."""

    value: Number
    reason: str = Field(min_length=10)
    source: str = ""


class Priors(Strict):
    """Prior scales on the log-odds scale."""

    study_sd_scale: Assumption
    product_sd_scale: Assumption
    intercept_sd: Assumption
    real_world_sd: Assumption
    real_world_minimum_patients: Assumption
    real_world_other_threshold_sd: Assumption
    real_world_unseen_sd: Assumption
    region_sd: Assumption
    construct_sd: Assumption
    near_offset_mean: Assumption
    near_offset_sd: Assumption
    near_row_sd: Assumption
    same_trial_correlation: Assumption


class SurvivalPriors(Strict):
    """Prior scales of the curves of progression-free survival (log odds; slopes per unit of log time)."""

    level_sd: Assumption
    slope_mean: Assumption
    slope_sd: Assumption
    product_slope_sd: Assumption
    study_slope_sd: Assumption
    product_sd_scale: Assumption
    study_sd_scale: Assumption
    construct_sd: Assumption
    real_world_sd: Assumption
    region_sd: Assumption
    early_sd: Assumption
    shared: Assumption
    early_lines_most: Assumption
    same_trial_correlation: Assumption
    variance_factor: Assumption
    point_sd: Assumption
    median_reach: Assumption
    minimum_sources: Assumption
    wait_months: Assumption


class Bias(Strict):
    """What may be wrong with the comparison itself."""

    unanchored_sd: Assumption
    crude_variance_factor: Assumption
    outside_evidence_sd: Assumption


class NumberLimits(Strict):
    """Where no number is given, or a number is marked."""

    minimum_studies: Assumption
    minimum_patients: Assumption
    minimum_patients_with_trait: Assumption
    numeric_reach_sd: Assumption
    follow_up_ratio: Assumption


class CertaintyLimits(Strict):
    """Steps of the certainty rating."""

    few_studies: Assumption
    few_patients: Assumption
    imprecision_width: Assumption
    inconsistency_width: Assumption
    many_studies: Assumption
    many_patients: Assumption
    narrow_width: Assumption
    consistent_width: Assumption
    large_effect_odds_ratio: Assumption


class Presentation(Strict):
    """From where on something is marked in what people see."""

    unstable_move: Assumption
    evidence_months: Assumption
    label_months: Assumption


class TraitGroup(Strict):
    """Traits whose effects in some families are drawn with one spread: half-normal ``scale`` (log odds ratio)."""

    families: tuple[str, ...]
    traits: tuple[str, ...]
    scale: Number = Field(gt=0)
    reason: str = Field(min_length=10)


class ContrastSpread(Strict):
    """Spread of one trait's effect between studies: its half-normal scale, or the value itself where ``fixed``."""

    families: tuple[str, ...]
    value: Number = Field(gt=0)
    fixed: bool = False
    reason: str = Field(min_length=10)


class SharedTraits(Strict):
    """Traits whose effects in the two classes have one mean, in the families named."""

    families: tuple[str, ...]
    traits: tuple[str, ...]
    class_difference_sd_scale: Assumption
    reason: str = Field(min_length=10)


class DepthPriors(Strict):
    """How effects on the depth of a response follow those on response."""

    share: Assumption
    deviation_sd_scale: Assumption


class TraitEffectPriors(Strict):
    """Priors of the trait effects, and from which information on a trait acts."""

    groups: tuple[TraitGroup, ...]
    contrast_spreads: tuple[ContrastSpread, ...]
    shared: SharedTraits
    depth: DepthPriors
    information_share: Assumption

    @model_validator(mode="after")
    def _complete(self) -> TraitEffectPriors:
        families = {family.id for family in FAMILIES} | {PFS}
        named = {f for group in self.groups for f in group.families} | set(self.shared.families)
        named |= {f for spread in self.contrast_spreads for f in spread.families}
        traits = {t for group in self.groups for t in group.traits} | set(self.shared.traits)
        if unknown := sorted((named - families) | (traits - set(MODEL_TRAIT_IDS))):
            raise ValueError(f"unknown family or trait: {', '.join(unknown)}")
        for family in sorted(families):
            grouped = [trait for group in self.groups if family in group.families for trait in group.traits]
            if sorted(grouped) != sorted(MODEL_TRAIT_IDS):
                raise ValueError(f"{family}: every trait belongs to exactly one group")
            if sum(family in spread.families for spread in self.contrast_spreads) != 1:
                raise ValueError(f"{family}: needs exactly one spread between studies")
        return self


class Regions(Strict):
    """Regions whose studies carry the region effect."""

    regions: tuple[str, ...]
    reason: str = Field(min_length=10)


class CorrelationPrior(Strict):
    """How far a correlation seen in one table is taken for that of all patients."""

    sd: Assumption
    between_sd: Assumption


class ReferenceProfile(Strict):
    """Where the intercept is read."""

    age: Number
    prior_lines: Number
    reason: str


class UnreportedMargins(Strict):
    """Spreads used where an arm does not report a trait."""

    prevalence_sd: Assumption
    age_sd_years: Assumption
    prior_lines_log2_sd: Assumption


class NotKnown(Strict):
    """A limit of the evidence that no input settles, and where that is said."""

    text: str = Field(min_length=10)
    source: str = Field(min_length=3)


class Assumptions(Strict):
    """assumptions.yaml."""

    version: str
    evidence_date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    priors: Priors
    survival: SurvivalPriors
    bias: Bias
    limits: NumberLimits
    certainty: CertaintyLimits
    presentation: Presentation
    trait_effects: TraitEffectPriors
    trait_correlations: CorrelationPrior
    east_asia: Regions
    reference_profile: ReferenceProfile
    unreported_margins: UnreportedMargins
    not_known: tuple[NotKnown, ...]

    def bedside(self) -> dict[str, float]:
        """The plain numbers the bedside needs: bias terms, limits, steps of the certainty rating, marks."""
        return {
            name: getattr(group, name).value
            for group in (self.bias, self.limits, self.certainty, self.presentation)
            for name in type(group).model_fields
        }


class CorrelationPair(Strict):
    """Correlation of two traits: from a published two-by-two table, or assumed with a reason."""

    a: Identifier
    b: Identifier
    table: tuple[tuple[int, int], tuple[int, int]] | None = None
    at_least: Number | None = None
    basis: Basis | None = None
    study: Identifier | None = None
    note: str = ""
    assumed: Number | None = Field(default=None, gt=-1, lt=1)
    reason: str = ""

    @model_validator(mode="after")
    def _one_origin(self) -> CorrelationPair:
        if (self.table is None) == (self.assumed is None):
            raise ValueError("give either a table or an assumed value")
        if self.table is not None and (self.basis is None or self.study is None):
            raise ValueError("a table needs its basis and its study")
        if self.assumed is not None and not self.reason:
            raise ValueError("an assumed value needs a reason")
        for trait in (self.a, self.b):
            if trait not in MODEL_TRAIT_IDS:
                raise ValueError(f"unknown trait {trait!r}")
        return self


class TraitCorrelations(Strict):
    """trait_correlations.yaml."""

    pairs: tuple[CorrelationPair, ...]


class GroupRate(Strict):
    """A pooled rate with its interval."""

    rate: Number = Field(gt=0, lt=1)
    ci95: tuple[Number, Number]
    patients: int
    studies: int


class PooledEffect(Strict):
    """A trait effect of somebody else's meta-analysis that enters where the project has no split of its own."""

    id: Identifier
    family: str
    threshold: str
    trait: Identifier
    class_id: ClassId
    kind: Literal["risk_ratio", "group_versus_all"]
    value: Number | None = None
    ci95: tuple[Number, Number] | None = None
    group: GroupRate | None = None
    all: GroupRate | None = None
    studies: int | None = None
    patients: int | None = None
    crude: bool
    row: str | None = None
    study: Identifier | None = None
    basis: Basis
    source: str
    reason: str

    @model_validator(mode="after")
    def _complete(self) -> PooledEffect:
        if self.kind == "risk_ratio" and (self.value is None or self.ci95 is None):
            raise ValueError("a risk ratio needs value and ci95")
        if self.kind == "group_versus_all" and (self.group is None or self.all is None):
            raise ValueError("group_versus_all needs group and all")
        if self.threshold not in THRESHOLDS or self.trait not in MODEL_TRAIT_IDS:
            raise ValueError(f"unknown threshold {self.threshold!r} or trait {self.trait!r}")
        if self.row is None and self.study is None:
            raise ValueError("name the row of adjusted_effects.yaml or the study it comes from")
        return self


class PooledEffects(Strict):
    """pooled_effects.yaml."""

    effects: tuple[PooledEffect, ...]


Shape = TypeVar("Shape", bound=BaseModel)


def _load(path: Path, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate_json(json.dumps(read_yaml(path)))
    except ValidationError as error:
        problems = [Problem(".".join(map(str, item["loc"])), item["msg"], file=path.name) for item in error.errors()]
        raise EvidenceError(f"{path.name} does not follow its schema", problems) from error


def load_assumptions(directory: Path) -> Assumptions:
    """Read assumptions.yaml; raises EvidenceError with every field that does not fit."""
    return _load(directory / "assumptions.yaml", Assumptions)


def load_correlations(directory: Path) -> TraitCorrelations:
    """Read trait_correlations.yaml; raises EvidenceError with every field that does not fit."""
    return _load(directory / "trait_correlations.yaml", TraitCorrelations)


def load_pooled_effects(directory: Path) -> PooledEffects:
    """Read pooled_effects.yaml; raises EvidenceError with every field that does not fit."""
    return _load(directory / "pooled_effects.yaml", PooledEffects)
