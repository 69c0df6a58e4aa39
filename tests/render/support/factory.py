"""A hand-made `Comparison` with every state a face has to show. The numbers are invented."""

from __future__ import annotations

import math

from bcma_decide.behind import EffectLine, Explanation, Move, StudyLine
from bcma_decide.comparison import (
    SCHEMA_VERSION,
    Comparison,
    Contrast,
    ContrastWithoutBias,
    Estimate,
    EvidenceStamp,
    Finding,
    FromDecision,
    Indication,
    IndicationItem,
    LabelContext,
    Option,
    Outcome,
    PracticalLine,
    PracticalRow,
    Profile,
    PublishedFigure,
    PublishedOption,
    Reference,
    RiskDifference,
    ScoreItemLine,
    ScoreLine,
    SoftwareStamp,
    StudyEntry,
    TraitLine,
    Unknown,
    WaterfallStep,
)
from bcma_decide.vocabulary import FAMILY_OF, INTENDED_USE, THRESHOLDS, Certainty

OPTIONS = (
    Option(id="car_t", label="CAR-T", long_label="BCMA CAR-T cell therapy", class_id="car_t", kind="class"),
    Option(
        id="bite",
        label="Bispecific",
        long_label="BCMAxCD3 bispecific antibody",
        class_id="bite",
        kind="class",
    ),
    Option(
        id="cilta_cel",
        label="cilta-cel",
        long_label="Ciltacabtagene autoleucel",
        class_id="car_t",
        kind="product",
    ),
    Option(id="ide_cel", label="ide-cel", long_label="Idecabtagene vicleucel", class_id="car_t", kind="product"),
    Option(id="teclistamab", label="teclistamab", long_label="Teclistamab", class_id="bite", kind="product"),
    Option(id="elranatamab", label="elranatamab", long_label="Elranatamab", class_id="bite", kind="product"),
    Option(id="linvoseltamab", label="linvoseltamab", long_label="Linvoseltamab", class_id="bite", kind="product"),
)

HOSTILE = '[bold red]x[/] <script>alert("1")</script> \x1b[31mred\u202e & {{ 7*7 }} [/]'

WATERFALL = (
    WaterfallStep(trait=None, label="average patient of the evidence", mean=0.815, change=0.0),
    WaterfallStep(trait="age", label="Age 72 years", mean=0.83, change=0.015),
    WaterfallStep(trait="extramedullary_disease", label="Extramedullary disease: present", mean=0.62, change=-0.21),
    WaterfallStep(trait="prior_lines", label="Prior lines: 5", mean=0.603, change=-0.017),
    WaterfallStep(trait=None, label="this patient", mean=0.598, change=-0.005),
)


def estimate(mean: float, half_width: float, certainty: Certainty = "low", **more: object) -> Estimate:
    """An estimate whose intervals lie evenly on the log-odds scale."""
    centre = math.log(mean / (1 - mean))

    def around(spread: float) -> tuple[float, float]:
        low, high = (1 / (1 + math.exp(-(centre + sign * spread))) for sign in (-1, 1))
        return low, high

    fields: dict[str, object] = {
        "median": 0.97 * mean,
        "mean": mean,
        "credible": around(half_width),
        "prediction": around(2 * half_width),
        "certainty": certainty,
        "reasons": ("start: low, single-arm studies", "down: wide prediction interval"),
        "informed_traits": ("age", "extramedullary_disease"),
        "n_studies": 9,
        "n_patients": 812,
        "follow_up_months": 17.4,
        "sources": ("example-2024",),
    }
    return Estimate.model_validate({"state": "estimated", **fields, **more})


def contrast(mean: float, interval: tuple[float, float], p: float, certainty: Certainty = "very low") -> Contrast:
    value = RiskDifference(mean=mean, interval=interval)
    return Contrast(
        options=("car_t", "bite"),
        risk_difference=value,
        probability_first_higher=p,
        tipping_point_log_or=0.62,
        bias_sd=0.25,
        without_bias_term=ContrastWithoutBias(
            risk_difference=RiskDifference(mean=mean, interval=(interval[0] + 0.02, interval[1] - 0.02)),
            probability_first_higher=min(1.0, p + 0.02),
        ),
        certainty=certainty,
        reasons=("start: low, indirect comparison",),
    )


def outcome(
    name: str,
    car_t: Estimate,
    bite: Estimate,
    difference: Contrast | None,
    reason: str | None = None,
    notes: tuple[str, ...] = (),
    products: dict[str, Estimate] | None = None,
) -> Outcome:
    family = FAMILY_OF[name]
    return Outcome(
        id=name,
        label=THRESHOLDS[name].label,
        plain=THRESHOLDS[name].plain,
        family=family.id,
        direction=family.direction,
        horizon=family.horizon,
        estimates={"car_t": car_t, "bite": bite, **(products or {})},
        contrast=difference,
        contrast_reason=reason,
        notes=notes,
    )


NOT_APPLICABLE = Estimate(state="not_applicable", reason="there is no apheresis or infusion to miss")
TOO_THIN = Estimate(state="too_thin", reason="one study of 12 patients", n_studies=1, n_patients=12)
FOLLOW_UP = "CAR-T was followed for 17 months, the bispecific for 12: an outcome that grows with time"

OUTCOMES = (
    outcome(
        "orr",
        estimate(
            0.604,
            0.42,
            "low",
            waterfall=WATERFALL,
            uninformed_traits=("frail",),
            from_decision=FromDecision(mean=0.543, credible=(0.441, 0.641), prediction=(0.352, 0.724)),
        ),
        estimate(
            0.523,
            0.5,
            "very low",
            waterfall=(
                WaterfallStep(trait=None, label="average patient of the evidence", mean=0.63, change=0.0),
                WaterfallStep(trait="extramedullary_disease", label="Extramedullary disease", mean=0.52, change=-0.11),
            ),
            borrowed_traits=("prior_lines",),
            outside_evidence=("Earlier BCMA therapy: seen in 9 patients",),
        ),
        contrast(0.081, (-0.134, 0.291), 0.774),
        products={
            "cilta_cel": estimate(0.742, 0.5),
            "ide_cel": estimate(0.551, 0.55),
            "teclistamab": estimate(0.518, 0.5),
            "elranatamab": estimate(0.534, 0.6, "very low"),
            "linvoseltamab": TOO_THIN,
        },
    ),
    outcome(
        "vgpr_or_better",
        estimate(0.512, 0.45),
        estimate(0.447, 0.5),
        contrast(0.066, (-0.15, 0.28), 0.72, "low"),
    ),
    outcome("cr_or_better", estimate(0.331, 0.5), estimate(0.257, 0.6), contrast(0.073, (-0.12, 0.27), 0.78)),
    outcome(
        "crs_any",
        estimate(0.872, 0.35, "moderate", same_for_every_patient=True),
        estimate(0.604, 0.3, "moderate", same_for_every_patient=True),
        contrast(0.268, (0.143, 0.384), 0.9996, "moderate"),
        products={
            "ide_cel": estimate(0.853, 0.6, further_product=True, same_for_every_patient=True),
            "linvoseltamab": estimate(0.611, 0.6, "very low", further_product=True, same_for_every_patient=True),
        },
    ),
    outcome("crs_g3plus", estimate(0.047, 0.5), estimate(0.0081, 0.7), contrast(0.038, (0.002, 0.09), 0.98, "low")),
    outcome(
        "icans_any",
        estimate(0.183, 0.5, same_for_every_patient=True),
        estimate(0.062, 0.6),
        contrast(0.12, (0.02, 0.24), 0.99, "low"),
    ),
    outcome(
        "icans_g3plus",
        estimate(0.031, 0.6),
        estimate(0.0032, 0.9, "very low"),
        contrast(0.027, (-0.001, 0.08), 0.96),
    ),
    outcome("infection_any", estimate(0.552, 0.4), estimate(0.664, 0.4), None, FOLLOW_UP, (FOLLOW_UP,)),
    outcome(
        "infection_g3plus",
        estimate(0.243, 0.4),
        estimate(0.378, 0.4),
        contrast(-0.134, (-0.27, 0.004), 0.028, "low"),
        notes=(FOLLOW_UP,),
    ),
    outcome(
        "neutropenia_g3plus",
        estimate(0.8841, 0.4),
        estimate(0.636, 0.4),
        contrast(0.246, (0.1, 0.38), 0.999, "low"),
    ),
    outcome(
        "thrombocytopenia_g3plus",
        estimate(0.477, 0.4),
        estimate(0.231, 0.4),
        contrast(0.245, (0.09, 0.39), 0.999, "low"),
    ),
    outcome(
        "hypogammaglobulinemia",
        estimate(0.9968, 1.2, "very low"),
        estimate(0.713, 0.5),
        contrast(0.282, (0.12, 0.45), 0.9993),
    ),
    outcome(
        "delayed_neurotoxicity",
        estimate(0.052, 0.6),
        Estimate(state="no_evidence"),
        None,
        "not reported for the bispecific",
    ),
    outcome("treatment_related_death", estimate(0.0341, 0.6), TOO_THIN, None, "too few studies of the bispecific"),
    outcome("apheresed_not_infused", estimate(0.126, 0.4), NOT_APPLICABLE, None, "the bispecific has no such step"),
)

TRAITS = (
    TraitLine(trait="age", label="Age", state="given", value=72.0, text="72 years", how="given"),
    TraitLine(trait="prior_lines", label="Prior lines", state="given", value=5.0, text="5"),
    TraitLine(
        trait="extramedullary_disease",
        label="Extramedullary disease",
        state="given",
        value=True,
        text="present",
    ),
    TraitLine(
        trait="triple_class_refractory",
        label="Triple-class refractory",
        state="derived",
        value=True,
        text="yes",
        how="refractory to lenalidomide, bortezomib and daratumumab",
    ),
    TraitLine(trait="frail", label="Frail", state="given", value=True, text="yes", used=False),
    TraitLine(
        trait="renal_impairment",
        label="Renal impairment",
        state="contradiction",
        value=None,
        text="eGFR 85 mL/min but marked as impaired",
        how="check which of the two is right",
    ),
    TraitLine(
        trait="high_risk_cytogenetics",
        label="High-risk cytogenetics",
        state="unknown",
        value=None,
        text="unknown",
        how="needs FISH: del(17p), t(4;14), t(14;16)",
    ),
    TraitLine(
        trait="ferritin_high",
        label="High ferritin",
        state="unknown",
        value=None,
        text="unknown",
        how="needs ferritin",
    ),
    TraitLine(
        trait="car_hematotox_high",
        label="CAR-HEMATOTOX high",
        state="unknown",
        value=None,
        text="unknown",
        how="0 to 7 points; needs platelets, ANC, Hb, CRP, ferritin",
    ),
    TraitLine(trait="prior_bcma", label="Earlier BCMA therapy", state="given", value=True, text="yes"),
)

CARRIED = (
    TraitLine(trait="age", label="Age", state="given", value=None, text="72 years"),
    TraitLine(trait="note", label="Remark", state="given", value=None, text=HOSTILE, used=False),
)

FINDINGS = (
    Finding(
        id="lvef",
        applies_to={"class": "car_t"},
        severity="caution",
        state="fires",
        text="Trials of this class required a left ventricular ejection fraction of at least 45 %",
        value="LVEF 42 %",
        threshold="≥ 45 %",
        sources=("label-2024",),
        topic="heart",
        origin="label",
        basis="verified",
        date="2024-05",
    ),
    Finding(
        id="counts",
        applies_to={"class": "bite", "product": "elranatamab"},
        severity="caution",
        state="fires",
        text="Below an entry threshold",
        value="platelets 20 10^9/L",
        threshold="platelets below 25 10^9/L",
        topic="blood-counts",
        origin="trial_entry",
        basis="recalled",
    ),
    Finding(
        id="cns",
        severity="contraindication",
        state="cannot_be_judged",
        text="Active disease of the central nervous system was excluded from the trials",
        needs=("CNS imaging or CSF",),
    ),
    Finding(id="input", severity="information", state="fires", text=HOSTILE),
)

LABELS = LabelContext(region="US", date="2026-11-01", seen_until="2026-07")

INDICATIONS = {
    "cilta_cel": Indication(
        state="met",
        region="US",
        date="2026-11-01",
        label="cilta-cel",
        class_id="car_t",
        regimen="monotherapy",
        approval="full",
        since="2024-04-05",
        sources=("label-2024",),
        basis="verified",
        items=(IndicationItem(text="one or more earlier lines", state="met", value="earlier lines of therapy 5"),),
    ),
    "ide_cel": Indication(
        state="not_met",
        region="US",
        date="2026-11-01",
        label="ide-cel",
        class_id="car_t",
        regimen="monotherapy",
        since="2024-04",
        items=(
            IndicationItem(text="two or more earlier lines", state="met"),
            IndicationItem(text="given an anti-CD38 antibody", state="not_met", value="not given daratumumab"),
        ),
    ),
    "teclistamab": Indication(
        state="cannot_be_judged",
        region="US",
        date="2026-11-01",
        label="teclistamab",
        class_id="bite",
        regimen="monotherapy",
        since="2022-10-25",
        items=(
            IndicationItem(
                text="given a proteasome inhibitor",
                state="cannot_be_judged",
                needs=("proteasome inhibitor (given or not)",),
            ),
        ),
        other_regimens=(
            Indication(
                state="met",
                region="US",
                date="2026-11-01",
                label="teclistamab",
                class_id="bite",
                regimen="with daratumumab",
                since="2026-03-05",
                items=(IndicationItem(text="one or more earlier lines", state="met"),),
            ),
        ),
    ),
    "elsewhere_cel": Indication(
        state="not_met",
        region="US",
        date="2026-11-01",
        label="elsewhere-cel",
        class_id="car_t",
        regimen="monotherapy",
        items=(IndicationItem(text="a label in US on 2026-11-01", state="not_met", value="none seen"),),
    ),
}


def practical(text: str, basis: str = "verified") -> PracticalLine:
    return PracticalLine.model_validate(
        {"text": text, "region": "US", "since": None, "until": None, "basis": basis, "sources": ("label-2024",)}
    )


PRACTICE = (
    PracticalRow(
        topic="stay",
        label="Stay and monitoring",
        shown=True,
        facts={
            "cilta_cel": (practical("near the centre for 2 weeks"), practical("checked daily for 7 days")),
            "ide_cel": (practical("near the centre for 2 weeks"),),
            "teclistamab": (practical("in hospital for 48 hours", "recalled"),),
        },
    ),
    PracticalRow(topic="dose", label="Dose", shown=False, facts={"ide_cel": (practical("never shown here"),)}),
)

SCORES = (
    ScoreLine(
        id="car_hematotox",
        name="CAR-HEMATOTOX",
        low=3,
        high=5,
        unit="points",
        highest=7,
        group="high",
        possible_groups=("high",),
        outcomes=("severe infection 40 %",),
        items=(
            ScoreItemLine(label="platelets", text="platelets 60 10^9/L", points=(2, 2)),
            ScoreItemLine(label="ferritin", text="ferritin not known", points=(0, 2), missing=("ferritin",)),
        ),
        needs=("ferritin",),
        applies_to=("car_t",),
        definition="points added up",
        purpose="blood counts",
        measured_at="before",
        validation="113 patients",
        limits="derived in CAR-T only",
        basis="verified",
        sources=("example-2024",),
    ),
    ScoreLine(
        id="iss",
        name="ISS",
        low=1,
        high=3,
        unit="",
        highest=None,
        group=None,
        possible_groups=("I", "II", "III"),
        items=(ScoreItemLine(label="albumin", text="albumin not known", points=None, missing=("albumin",)),),
        needs=("albumin",),
        applies_to=("car_t", "bite"),
        definition="stages",
        purpose="burden",
        measured_at="now",
        validation="many",
        limits="at diagnosis",
        basis="verified",
        sources=(),
    ),
)

UNKNOWNS = (
    Unknown(
        trait="ferritin_high",
        label="High ferritin",
        needs="needs ferritin",
        moves=(
            Move(outcome="orr", option="car_t", low=0.561, high=0.628, low_when="present", high_when="absent"),
            Move(
                outcome="crs_any",
                option="car_t",
                low=0.861,
                high=0.874,
                low_when="absent",
                high_when="present",
            ),
        ),
    ),
    Unknown(
        trait="high_risk_cytogenetics",
        label="High-risk cytogenetics",
        needs="needs FISH: del(17p), t(4;14), t(14;16)",
        moves=(
            Move(outcome="orr", option="car_t", low=0.522, high=0.643, low_when="present", high_when="absent"),
            Move(outcome="orr", option="bite", low=0.446, high=0.561, low_when="present", high_when="absent"),
        ),
    ),
    Unknown(
        trait="car_hematotox_high",
        label="CAR-HEMATOTOX high",
        needs="0 to 7 points; needs platelets, ANC, Hb, CRP, ferritin",
        moves=(
            Move(
                outcome="infection_g3plus",
                option="car_t",
                low=0.171,
                high=0.497,
                low_when="absent",
                high_when="present",
            ),
        ),
    ),
    Unknown(
        trait="iss_3",
        label="ISS stage III",
        needs="needs albumin and beta-2 microglobulin",
        moves=(Move(outcome="orr", option="bite", low=0.51, high=0.53, low_when="present", high_when="absent"),),
    ),
)

STUDIES = (
    StudyEntry(
        study="alpha-2023", name="ALPHA-1 phase 2 (all sites)", class_id="car_t", design="interventional", n=97,
        follow_up_months=27.7, outcomes=("orr", "crs_any", "crs_g3plus"), sources=("example-2024",),
    ),
    StudyEntry(
        study="beta-2024", name="BETA registry", class_id="car_t", design="real_world", n=236,
        follow_up_months=None, outcomes=("anemia_g3plus",), sources=("example-2024",),
    ),
    StudyEntry(
        study="gamma-2022", name="GAMMA-1", class_id="bite", design="interventional", n=165,
        follow_up_months=14.1, outcomes=("orr",), sources=("label-2024",),
    ),
)  # fmt: skip

EXPLANATIONS = (
    Explanation(
        outcome="orr",
        studies=(
            StudyLine(
                study="alpha-2023",
                name="ALPHA-1 phase 2",
                option="car_t",
                design="interventional",
                events=95,
                n=97,
                follow_up_months=27.7,
                weight_pct=33.4,
                basis="verified",
                source="example-2024",
            ),
            StudyLine(
                study="beta-2024",
                name="BETA registry of many centres",
                option="car_t",
                design="real_world",
                events=174,
                n=236,
                follow_up_months=None,
                weight_pct=33.3,
                basis="derived",
                source="example-2024",
            ),
            StudyLine(
                study="delta-2024",
                name="DELTA",
                option="car_t",
                design="real_world",
                events=31,
                n=40,
                follow_up_months=6.2,
                weight_pct=33.3,
                basis="derived",
                source="example-2024",
            ),
            StudyLine(
                study="gamma-2022",
                name="GAMMA-1",
                option="bite",
                design="interventional",
                events=104,
                n=165,
                follow_up_months=14.1,
                weight_pct=100.0,
                basis="recalled",
                source="label-2024",
            ),
        ),
        effects=(
            EffectLine(
                trait="extramedullary_disease",
                label="Extramedullary disease",
                class_id="car_t",
                log_odds_ratio=-1.31,
                interval=(-1.87, -0.72),
                unit="present versus absent",
                origin="seen in this class",
                evidence=(
                    "ALPHA-1: 9 of 19 present, 70 of 78 absent",
                    "BETA: odds ratio 0.31 (0.15 to 0.62), adjusted",
                ),
            ),
            EffectLine(
                trait="prior_lines",
                label="Prior lines",
                class_id="bite",
                log_odds_ratio=-0.22,
                interval=(-0.61, 0.18),
                unit="per doubling of prior lines",
                origin="borrowed from the other class",
                evidence=(),
            ),
        ),
        left_out=("ZETA 2021: the same patients as BETA", "ETA 2022: response not confirmed"),
        method="Random-effects model on the log-odds scale, exact binomial likelihood.",
    ),
)

REFERENCES = (
    Reference(
        key="example-2024",
        citation="Doe J, Roe R. An invented study of CAR-T in myeloma. Journal of Examples 2024;1:1-9",
        pmid=12345678,
        doi="10.1000/example.2024.0001",
        url="https://example.org/a/very/long/path/that/has/to/be/folded/somewhere/on/a/narrow/terminal",
    ),
    Reference(key="label-2024", citation=f"Label of an invented product {HOSTILE}", url="javascript:alert(1)"),
)


PUBLISHED_OPTIONS = (
    PublishedOption(
        id="teclistamab-daratumumab",
        label="Teclistamab with daratumumab",
        long_label="bispecific antibody with an anti-CD38 antibody",
        class_id="bite",
        study="EPSILON-3, randomised, 287 patients, 34 months of follow-up, one to three earlier lines",
        figures=(
            PublishedFigure(text="as randomised", outcome="orr", events=261, n=287, sources=("example-2024",)),
            PublishedFigure(text="as treated", outcome="crs_g3plus", events=0, n=281, sources=("example-2024",)),
            PublishedFigure(text="Progression: hazard ratio 0.19 (0.13 to 0.25)", outcome="pfs"),
        ),
        note="Given with a second active drug, in earlier disease.",
        sources=("label-2024",),
    ),
)

PUBLISHED = (
    PublishedFigure(text="one centre, teclistamab", outcome="orr", events=4, n=12, sources=("example-2024",)),
    PublishedFigure(text="any target", outcome="orr", rate=0.33, sources=("label-2024",)),
    PublishedFigure(text="Time without progression, median 1.7 months", outcome="pfs", sources=("label-2024",)),
)
WITHHELD = Estimate(
    state="withheld",
    reason="The few patients like this who were studied did worse than the traits of the model would give.",
    published=PUBLISHED,
)


def with_withheld(class_id: str, whole: Comparison | None = None) -> Comparison:
    """The same with every response number of a class and of its products withheld, as where own data contradict."""
    whole = whole or comparison()
    hidden = {option.id for option in whole.options if option.class_id == class_id}
    return whole.model_copy(
        update={
            "outcomes": tuple(
                each.model_copy(
                    update={
                        "estimates": {k: WITHHELD if k in hidden else v for k, v in each.estimates.items()},
                        "contrast": None,
                        "contrast_reason": "a number is withheld",
                    }
                )
                if each.family == "response"
                else each
                for each in whole.outcomes
            )
        }
    )


def comparison(**changes: object) -> Comparison:
    """The whole value; ``changes`` replace fields."""
    fields: dict[str, object] = {
        "evidence": EvidenceStamp(hash="9f2c1a77d0b34e6aa1b2c3d4e5f60718", date="2026-11-01", version="2026.11"),
        "software": SoftwareStamp(name="bcma-decide", version="0.1.0", schema_version=SCHEMA_VERSION),
        "intended_use": INTENDED_USE,
        "profile": Profile(name="example-emd", setting="real_world", traits=TRAITS, carried=CARRIED),
        "options": OPTIONS,
        "outcomes": OUTCOMES,
        "tell_apart": "Response with CAR-T is higher than with the bispecific; for infection the data cannot tell.",
        "published_options": PUBLISHED_OPTIONS,
        "labels": LABELS,
        "findings": FINDINGS,
        "indications": INDICATIONS,
        "practice": PRACTICE,
        "scores": SCORES,
        "unknowns": UNKNOWNS,
        "not_known": (
            "No trial has compared the two classes head to head.",
            "For linvoseltamab there are no counts by extramedullary disease.",
        ),
        "studies": STUDIES,
        "explanations": EXPLANATIONS,
        "references": REFERENCES,
    }
    return Comparison.model_validate({**fields, **changes})
