"""What is behind the numbers: studies and weights, trait effects. All of it stands in the pooled file."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from bcma_decide.behind import EffectLine, Explanation, StudyLine
from bcma_decide.model.normal import Z95
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, FAMILY_OF, MODEL_TRAITS, STAGES, TRAIT_LABELS

METHOD = (
    "Exact binomial counts around a rate integrated over each study's own patient mix; study and product effects are "
    "normal on the log-odds scale with the between-study spread averaged over its posterior. Trait effects come only "
    "from contrasts inside studies, made conditional on the other traits. The number is the posterior mean of the "
    "average over centres and over patients of the evidence who are alike in what is known; its interval is what the "
    "parameters leave open about that average."
)
DEPTH = (
    " Response depth is counted in stages: complete response among responders, and VGPR among those without one. Trait "
    "effects are those on response; at the later stages they act at {share:.0%} of their size, with a small deviation "
    "of their own."
)

UNITS = {"binary": "present versus absent", "age": "per ten years", "prior_lines": "per doubling of prior lines"}


def explanation(pooled: PooledEvidence, outcome: str) -> Explanation:
    """Studies with their weights, trait effects with their contrasts, and what was left out, for one outcome."""
    behind = pooled.provenance["outcomes"][outcome]
    family = FAMILY_OF[outcome].id
    return Explanation(
        outcome=outcome,
        studies=tuple(StudyLine(**row) for row in behind["studies"]),
        same_effect_test=_same_effect(pooled.provenance["families"][family]["proportional_odds"]),
        effects=effect_lines(pooled, family),
        left_out=tuple(behind["left_out"]),
        method=METHOD + (DEPTH.format(share=pooled.depth.share) if len(STAGES[outcome]) > 1 else ""),
    )


def effect_lines(pooled: PooledEvidence, family: str) -> tuple[EffectLine, ...]:
    """The trait effects of a family with the contrasts behind each, class by class."""
    f, T = pooled.family_index[family], pooled.trait_count
    effects = []
    for index, class_id in enumerate(CLASSES):
        for position, trait in enumerate(MODEL_TRAITS):
            if not pooled.used[f, index, position]:
                continue
            mean = float(pooled.effects[f, index, position])
            at = index * T + position
            reach = Z95 * sqrt(float(pooled.effect_covariance[f, at, at]))
            borrowed = bool(pooled.borrowed[f, index, position])
            effects.append(
                EffectLine(
                    trait=trait.id,
                    label=TRAIT_LABELS[trait.id],
                    class_id=class_id,
                    log_odds_ratio=mean,
                    interval=(mean - reach, mean + reach),
                    unit=UNITS[trait.kind],
                    origin="borrowed from the other class" if borrowed else "seen in this class",
                    evidence=tuple(
                        line["text"]
                        for line in pooled.provenance["families"][family]["contrasts"]
                        if line["trait"] == trait.id and (borrowed or line["class_id"] == class_id)
                    ),
                )
            )
    return tuple(effects)


def _same_effect(test: Mapping[str, float] | None) -> str | None:
    if test is None:
        return None
    return (
        "Whether traits act alike on all grades or depths of this outcome, tested where a study prints several: "
        f"Q = {test['q']:.1f} on {test['df']:.0f} degrees of freedom, p = {test['p']:.2f}."
    )
