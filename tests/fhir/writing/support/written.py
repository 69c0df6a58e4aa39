"""A small comparison written as FHIR, to be read by people.

``python -m tests.fhir.writing.support.written`` writes it anew. The numbers are invented and the versions
fixed, so that it changes only when the way of writing does.
"""

from datetime import UTC, datetime
from pathlib import Path

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.comparison import InputLine, SoftwareStamp
from bcma_decide.fhir.writing.bundle import bundle_json, fhir_bundle
from bcma_decide.time_course import Duration, Survival, SurvivalTime
from tests.render.support.factory import comparison

GOLDEN = Path(__file__).parents[1] / "written.json"
RECORDED = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
SHOWN = ("infection_g3plus", "apheresed_not_infused")


TIME = Survival(
    option="car_t",
    endpoint="pfs",
    label="Progression-free survival",
    kind="computed",
    origin="infusion",
    times=(
        SurvivalTime(month=6.0, mean=0.71, credible=(0.64, 0.77), prediction=(0.49, 0.88)),
        SurvivalTime(month=12.0, mean=0.55, credible=(0.48, 0.61), prediction=(0.33, 0.76)),
    ),
    median_months=Duration(value=14.0, credible=(11.0, None)),
    restricted_mean_months=Duration(value=None),
    curve=(
        SurvivalTime(month=0.0, mean=1.0, credible=(1.0, 1.0)),
        SurvivalTime(month=15.0, mean=0.48, credible=(0.4, 0.56)),
    ),
    end_of_follow_up_months=15.0,
    certainty="low",
    n_studies=4,
    n_patients=512,
    follow_up_months=15.0,
)


def small():
    """Two classes, two outcomes: one decided by an unknown input, one without a number for one of the classes.

    Time without progression for one class, followed for 15 months: a share at 6 and 12 months, the median at 14.
    """
    whole = comparison()
    unknowns = [
        each.model_copy(
            update={"moves": tuple(m.model_copy(update={"unstable": m.high - m.low > 0.3}) for m in each.moves)}
        )
        for each in whole.unknowns[1:3]
    ]
    inputs = (
        InputLine(field="age", label="Age", text="72 years", state="used", resource="Patient"),
        InputLine(field="ldh", label="LDH", text="310 U/L", state="used", resource="Observation/ldh", system="loinc"),
        InputLine(field="crp", label="CRP", text="5 mg/L", state="stale", resource="Observation/crp"),
        InputLine(field="igg", label="IgG", text="4 g/L and 9 g/L", state="contradiction", resource="Observation/igg"),
    )
    return whole.model_copy(
        update={
            "software": SoftwareStamp(name="bcma-decide", version="0.0.0", schema_version="0"),
            "options": whole.options[:2],
            "outcomes": tuple(each for each in whole.outcomes if each.id in SHOWN),
            "profile": whole.profile.model_copy(update={"inputs": inputs}),
            "unknowns": tuple(unknowns),
            "survival": (TIME,),
        }
    )


def written():
    return fhir_bundle(small(), load_pooled().codes, recorded=RECORDED, subject="Patient/1", pdf=b"%PDF-1.7\n")


if __name__ == "__main__":
    GOLDEN.write_text(bundle_json(written()), encoding="utf-8")
