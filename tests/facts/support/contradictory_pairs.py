"""Every pair of fields that can contradict: inputs that cannot both be true, and the nearest that can.

Of drugs and courses ``out`` names what is taken out of the lists; of all other fields the whole is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

LINES = "two drugs of one class are not given together in one line"
FIVE = ["bortezomib", "carfilzomib", "lenalidomide", "pomalidomide", "daratumumab"]


class Pair(NamedTuple):
    """A pair of fields with an example that is reported and one that is not."""

    fields: tuple[str, str]
    impossible: dict[str, Any]
    message: str
    possible: dict[str, Any]
    left: Mapping[str, Any] = MappingProxyType({})
    """What the lists still hold of an impossible example."""


PAIRS = (
    Pair(
        ("ecog", "karnofsky"),
        {"ecog": 1, "karnofsky": 30},
        "ECOG performance status 1 beside Karnofsky performance status 30 "
        "(two steps apart or more in every published table)",
        {"ecog": 1, "karnofsky": 60},
    ),
    Pair(
        ("frail", "ecog"),
        {"frail": "yes", "ecog": 0, "charlson": 0, "age": 50},
        "frail: yes beside ECOG performance status 0, Charlson comorbidity index 0 and age 50 years",
        {"frail": "yes", "ecog": 1, "charlson": 0, "age": 50},
    ),
    Pair(
        ("frail", "karnofsky"),
        {"frail": "no", "karnofsky": 20},
        "frail: no beside Karnofsky performance status 20",
        {"frail": "no", "karnofsky": 50},
    ),
    Pair(
        ("high_risk_cytogenetics", "del_17p"),
        {"high_risk_cytogenetics": "no", "del_17p": "yes"},
        "high-risk cytogenetics: no beside del(17p): yes",
        {"high_risk_cytogenetics": "yes", "del_17p": "no", "t_4_14": "no", "t_14_16": "no", "gain_1q": "yes"},
    ),
    Pair(
        ("high_risk_cytogenetics", "t_4_14"),
        {"high_risk_cytogenetics": "no", "t_4_14": "yes"},
        "high-risk cytogenetics: no beside t(4;14): yes",
        {"high_risk_cytogenetics": "yes", "t_4_14": "no"},
    ),
    Pair(
        ("high_risk_cytogenetics", "t_14_16"),
        {"high_risk_cytogenetics": "no", "t_14_16": "yes"},
        "high-risk cytogenetics: no beside t(14;16): yes",
        {"high_risk_cytogenetics": "no", "t_14_16": "no", "gain_1q": "yes"},
    ),
    Pair(
        ("r_iss", "iss"),
        {"r_iss": 1, "iss": 3},
        "R-ISS stage I beside ISS stage III (R-ISS I takes ISS I, R-ISS III takes ISS III)",
        {"r_iss": 2, "iss": 3},
    ),
    Pair(
        ("iss", "beta2_microglobulin"),
        {"iss": 1, "beta2_microglobulin": "9 mg/L"},
        "ISS stage I beside beta-2 microglobulin 9 mg/L (with this value now, stage I is an earlier one)",
        {"iss": 1, "beta2_microglobulin": "6 mg/L"},
    ),
    Pair(
        ("r_iss", "beta2_microglobulin"),
        {"r_iss": 1, "beta2_microglobulin": "9 mg/L"},
        "R-ISS stage I beside beta-2 microglobulin 9 mg/L (with this value now, stage I is an earlier one)",
        {"r_iss": 3, "beta2_microglobulin": "2 mg/L"},
    ),
    Pair(
        ("prior_lines", "penta_drug_refractory"),
        {"prior_lines": 1, "penta_drug_refractory": "yes"},
        f"earlier lines of therapy 1 beside penta-drug refractory: yes ({LINES})",
        {"prior_lines": 1, "triple_class_refractory": "yes", "penta_drug_refractory": "no"},
    ),
    Pair(
        ("prior_lines", "refractory_to"),
        {"prior_lines": 1, "refractory_to": [*FIVE, "selinexor"]},
        "earlier lines of therapy 1 beside refractory to bortezomib and carfilzomib, lenalidomide and pomalidomide "
        f"and daratumumab ({LINES})",
        {"prior_lines": 1, "refractory_to": ["bortezomib", "lenalidomide", "thalidomide", "daratumumab"]},
        {"refractory_to": ["selinexor"]},
    ),
    Pair(
        ("penta_drug_refractory", "triple_class_refractory"),
        {"penta_drug_refractory": "yes", "triple_class_refractory": "no"},
        "penta-drug refractory: yes beside triple-class refractory: no (the five drugs are of the three classes)",
        {"penta_drug_refractory": "no", "triple_class_refractory": "yes"},
    ),
    Pair(
        ("triple_class_refractory", "refractory_to"),
        {"triple_class_refractory": "no", "refractory_to": ["bortezomib", "lenalidomide", "daratumumab", "selinexor"]},
        "triple-class refractory: no beside refractory to bortezomib, lenalidomide and daratumumab",
        {"triple_class_refractory": "no", "refractory_to": ["bortezomib", "lenalidomide", "selinexor"]},
        {"refractory_to": ["selinexor"]},
    ),
    Pair(
        ("penta_drug_refractory", "refractory_to"),
        {"penta_drug_refractory": "no", "refractory_to": FIVE},
        "penta-drug refractory: no beside refractory to bortezomib and carfilzomib, lenalidomide and pomalidomide "
        "and daratumumab",
        {"penta_drug_refractory": "no", "refractory_to": FIVE[1:]},
        {"refractory_to": []},
    ),
    Pair(
        ("triple_class_refractory", "naive_to"),
        {"triple_class_refractory": "yes", "naive_to": ["daratumumab", "isatuximab", "selinexor"]},
        "triple-class refractory: yes beside not refractory to daratumumab or isatuximab",
        {"triple_class_refractory": "yes", "naive_to": ["daratumumab", "carfilzomib", "pomalidomide"]},
        {"naive_to": ["selinexor"]},
    ),
    Pair(
        ("penta_drug_refractory", "naive_to"),
        {"penta_drug_refractory": "yes", "naive_to": ["bortezomib", "carfilzomib"]},
        "penta-drug refractory: yes beside not refractory to bortezomib or carfilzomib",
        {"penta_drug_refractory": "yes", "naive_to": ["carfilzomib", "thalidomide", "isatuximab"]},
        {"naive_to": []},
    ),
    Pair(
        ("triple_class_refractory", "exposed_to"),
        {"triple_class_refractory": "yes", "exposed_to": ["daratumumab", "isatuximab"]},
        "triple-class refractory: yes beside not refractory to daratumumab or isatuximab",
        {"triple_class_refractory": "yes", "exposed_to": ["isatuximab", "bortezomib"]},
        {"exposed_to": []},
    ),
    Pair(
        ("penta_drug_refractory", "exposed_to"),
        {"penta_drug_refractory": "yes", "exposed_to": ["lenalidomide", "pomalidomide"]},
        "penta-drug refractory: yes beside not refractory to lenalidomide or pomalidomide",
        {"penta_drug_refractory": "yes", "exposed_to": ["thalidomide", "ixazomib"]},
        {"exposed_to": []},
    ),
    Pair(
        ("refractory_to", "exposed_to"),
        {"refractory_to": ["lenalidomide", "daratumumab"], "exposed_to": ["lenalidomide"]},
        "lenalidomide stands under 'refractory to' and 'exposed, not refractory'",
        {"refractory_to": ["lenalidomide"], "exposed_to": ["pomalidomide"]},
        {"refractory_to": ["daratumumab"], "exposed_to": []},
    ),
    Pair(
        ("refractory_to", "naive_to"),
        {"refractory_to": ["lenalidomide", "daratumumab"], "naive_to": ["lenalidomide", "isatuximab"]},
        "lenalidomide stands under 'refractory to' and 'never given'",
        {"refractory_to": ["daratumumab"], "naive_to": ["isatuximab"]},
        {"refractory_to": ["daratumumab"], "naive_to": ["isatuximab"]},
    ),
    Pair(
        ("exposed_to", "naive_to"),
        {"exposed_to": ["bortezomib"], "naive_to": ["bortezomib"]},
        "bortezomib stands under 'exposed, not refractory' and 'never given'",
        {"exposed_to": ["bortezomib"], "naive_to": ["carfilzomib"]},
        {"exposed_to": [], "naive_to": []},
    ),
    Pair(
        ("naive_to", "received"),
        {"naive_to": ["bortezomib"], "received": ["bortezomib", "lenalidomide"]},
        "bortezomib stands under 'never given' and 'given, result not known'",
        {"naive_to": ["carfilzomib"], "refractory_to": ["bortezomib"], "received": ["bortezomib"]},
        {"naive_to": [], "received": ["lenalidomide"]},
    ),
    Pair(
        ("prior_bcma", "refractory_to"),
        {"prior_bcma": "no", "refractory_to": ["teclistamab", "lenalidomide"]},
        "earlier BCMA therapy: no beside given teclistamab",
        {"prior_bcma": "no", "refractory_to": ["talquetamab", "lenalidomide"]},
        {"refractory_to": ["lenalidomide"]},
    ),
    Pair(
        ("prior_bcma", "exposed_to"),
        {"prior_bcma": "no", "exposed_to": ["belantamab mafodotin"]},
        "earlier BCMA therapy: no beside given belantamab mafodotin",
        {"prior_bcma": "yes", "exposed_to": ["belantamab mafodotin"]},
        {"exposed_to": []},
    ),
    Pair(
        ("prior_bcma", "received"),
        {"prior_bcma": "no", "received": ["ide-cel", "cyclophosphamide"]},
        "earlier BCMA therapy: no beside given idecabtagene vicleucel",
        {"prior_bcma": "no", "received": ["cevostamab"]},
        {"received": ["cyclophosphamide"]},
    ),
    Pair(
        ("prior_bcma", "prior_bcma_courses"),
        {"prior_bcma": "no", "prior_bcma_courses": ["car_t:7"]},
        "earlier BCMA therapy: no beside earlier CAR-T (7 months ago)",
        {"prior_bcma": "yes", "prior_bcma_courses": ["car_t:7"]},
        {"prior_bcma_courses": []},
    ),
    Pair(
        ("prior_bcma", "progression_on_bcma"),
        {"prior_bcma": "no", "progression_on_bcma": "yes"},
        "earlier BCMA therapy: no beside progression on BCMA therapy: yes",
        {"prior_bcma": "no", "progression_on_bcma": "no"},
    ),
    Pair(
        ("prior_t_cell_redirection", "refractory_to"),
        {"prior_t_cell_redirection": "no", "refractory_to": ["talquetamab"]},
        "earlier T-cell redirection: no beside given talquetamab",
        {"prior_t_cell_redirection": "no", "refractory_to": ["belantamab mafodotin"]},
        {"refractory_to": []},
    ),
    Pair(
        ("prior_t_cell_redirection", "exposed_to"),
        {"prior_t_cell_redirection": "no", "exposed_to": ["cilta-cel"]},
        "earlier T-cell redirection: no beside given ciltacabtagene autoleucel",
        {"prior_t_cell_redirection": "no", "exposed_to": ["elotuzumab"]},
        {"exposed_to": []},
    ),
    Pair(
        ("prior_t_cell_redirection", "received"),
        {"prior_t_cell_redirection": "no", "received": ["elranatamab"]},
        "earlier T-cell redirection: no beside given elranatamab",
        {"prior_t_cell_redirection": "no", "received": ["belantamab mafodotin"]},
        {"received": []},
    ),
    Pair(
        ("prior_t_cell_redirection", "prior_bcma_courses"),
        {"prior_t_cell_redirection": "no", "prior_bcma_courses": ["bispecific:2", "adc:9"]},
        "earlier T-cell redirection: no beside earlier bispecific antibody (2 months ago)",
        {"prior_t_cell_redirection": "no", "prior_bcma_courses": ["adc:9"]},
        {"prior_bcma_courses": ["adc:9"]},
    ),
    Pair(
        ("weeks_since_last_therapy", "prior_lines"),
        {"weeks_since_last_therapy": "never", "prior_lines": 4},
        "time since the last conventional therapy never beside earlier lines of therapy 4 "
        "(no conventional therapy ever)",
        {"weeks_since_last_therapy": "200 weeks", "prior_lines": 4},
    ),
    Pair(
        ("weeks_since_last_therapy", "refractory_to"),
        {"weeks_since_last_therapy": "never", "refractory_to": ["lenalidomide"]},
        "time since the last conventional therapy never beside given lenalidomide (no conventional therapy ever)",
        {"weeks_since_last_therapy": "104 weeks", "refractory_to": ["lenalidomide"]},
        {"refractory_to": []},
    ),
    Pair(
        ("weeks_since_last_therapy", "exposed_to"),
        {"weeks_since_last_therapy": "never", "exposed_to": ["daratumumab"]},
        "time since the last conventional therapy never beside given daratumumab (no conventional therapy ever)",
        {"weeks_since_last_therapy": "never", "exposed_to": ["teclistamab"]},
        {"exposed_to": []},
    ),
    Pair(
        ("weeks_since_last_therapy", "received"),
        {"weeks_since_last_therapy": "never", "received": ["bortezomib"]},
        "time since the last conventional therapy never beside given bortezomib (no conventional therapy ever)",
        {"weeks_since_last_therapy": "0 weeks", "received": ["bortezomib"]},
        {"received": []},
    ),
    Pair(
        ("weeks_since_last_therapy", "triple_class_refractory"),
        {"weeks_since_last_therapy": "never", "triple_class_refractory": "yes"},
        "time since the last conventional therapy never beside triple-class refractory: yes "
        "(no conventional therapy ever)",
        {"weeks_since_last_therapy": "never", "triple_class_refractory": "no"},
    ),
    Pair(
        ("weeks_since_last_therapy", "penta_drug_refractory"),
        {"weeks_since_last_therapy": "never", "penta_drug_refractory": "yes"},
        "time since the last conventional therapy never beside penta-drug refractory: yes "
        "(no conventional therapy ever)",
        {"weeks_since_last_therapy": "60 weeks", "penta_drug_refractory": "yes"},
    ),
    Pair(
        ("recent_alkylator", "weeks_since_last_therapy"),
        {"recent_alkylator": "yes", "weeks_since_last_therapy": "60 weeks"},
        "recent bendamustine or high-dose alkylator: yes beside time since the last conventional therapy 60 weeks "
        "(an alkylator is conventional therapy)",
        {"recent_alkylator": "yes", "weeks_since_last_therapy": "30 weeks"},
    ),
    Pair(
        ("weeks_since_last_therapy", "age"),
        {"weeks_since_last_therapy": "1800 weeks", "age": 30},
        "time since the last conventional therapy 1800 weeks beside age 30 years "
        "(longer ago than the patient has lived)",
        {"weeks_since_last_therapy": "1500 weeks", "age": 40},
    ),
    Pair(
        ("live_vaccine", "age"),
        {"live_vaccine": "2500 weeks", "age": 40},
        "last live vaccine 2500 weeks beside age 40 years (longer ago than the patient has lived)",
        {"live_vaccine": "2100 weeks", "age": 40},
    ),
    Pair(
        ("age", "prior_bcma_courses"),
        {"age": 40, "prior_bcma_courses": ["car_t:600", "adc:4"]},
        "age 40 years beside earlier CAR-T (600 months ago) (longer ago than the patient has lived)",
        {"age": 40, "prior_bcma_courses": ["car_t:120"]},
        {"prior_bcma_courses": []},
    ),
    Pair(
        ("creatinine_clearance", "creatinine"),
        {"age": 66, "weight": "60 kg", "creatinine": "12 mg/dL", "creatinine_clearance": 120},
        "creatinine clearance 120 mL/min beside creatinine 12 mg/dL (no body clears so much at this creatinine)",
        {"age": 66, "weight": "60 kg", "sex": "male", "creatinine": "1.2 mg/dL", "creatinine_clearance": 103},
    ),
    Pair(
        ("egfr", "creatinine"),
        {"egfr": 75, "creatinine": "4.5 mg/dL"},
        "eGFR 75 mL/min/1.73 m2 beside creatinine 4.5 mg/dL (no age gives so much at this creatinine)",
        {"egfr": 30, "creatinine": "2.5 mg/dL", "age": 60},
    ),
    Pair(
        ("creatinine_clearance", "egfr"),
        {"creatinine_clearance": 130, "egfr": 25},
        "creatinine clearance 130 mL/min beside eGFR 25 mL/min/1.73 m2 (more than four times apart)",
        {"creatinine_clearance": 130, "egfr": 55},
    ),
    Pair(
        ("dialysis", "creatinine_clearance"),
        {"dialysis": "yes", "creatinine_clearance": 110},
        "dialysis: yes beside creatinine clearance 110 mL/min",
        {"dialysis": "yes", "creatinine_clearance": 20},
    ),
    Pair(
        ("dialysis", "egfr"),
        {"dialysis": "yes", "egfr": 90},
        "dialysis: yes beside eGFR 90 mL/min/1.73 m2",
        {"dialysis": "yes", "egfr": 12},
    ),
    Pair(
        ("renal_impairment", "dialysis"),
        {"renal_impairment": "no", "dialysis": "yes"},
        "renal impairment: no beside dialysis: yes",
        {"renal_impairment": "yes", "dialysis": "no"},
    ),
    Pair(
        ("renal_impairment", "creatinine_clearance"),
        {"renal_impairment": "yes", "creatinine_clearance": 115},
        "renal impairment: yes beside creatinine clearance 115 mL/min",
        {"renal_impairment": "yes", "creatinine_clearance": 55},
    ),
    Pair(
        ("renal_impairment", "creatinine"),
        {"renal_impairment": "no", "creatinine": "9 mg/dL"},
        "renal impairment: no beside creatinine 9 mg/dL",
        {"renal_impairment": "no", "creatinine": "1.6 mg/dL"},
    ),
    Pair(
        ("renal_impairment", "egfr"),
        {"renal_impairment": "no", "egfr": 10},
        "renal impairment: no beside eGFR 10 mL/min/1.73 m2",
        {"renal_impairment": "yes", "egfr": 80},
    ),
    Pair(
        ("ferritin_raised", "ferritin"),
        {"ferritin_raised": "no", "ferritin": "2400 ng/mL"},
        "ferritin above normal: no beside ferritin 2400 ng/mL",
        {"ferritin_raised": "no", "ferritin": "390 ng/mL"},
    ),
    Pair(
        ("lymphopenia", "lymphocytes"),
        {"lymphopenia": "no", "lymphocytes": "0.2 10^9/L"},
        "lymphopenia: no beside lymphocytes 0.2 10^9/L",
        {"lymphopenia": "yes", "lymphocytes": "1.1 10^9/L"},
    ),
    Pair(
        ("pregnancy", "sex"),
        {"pregnancy": "yes", "sex": "male"},
        "pregnancy: yes beside sex: male",
        {"pregnancy": "no", "sex": "male"},
    ),
    Pair(
        ("pregnancy", "age"),
        {"pregnancy": "yes", "age": 79},
        "pregnancy: yes beside age 79 years",
        {"pregnancy": "yes", "age": 44},
    ),
    Pair(
        ("inadequate_organ_function", "dialysis"),
        {"inadequate_organ_function": "no", "dialysis": "yes"},
        "inadequate organ function: no beside dialysis: yes",
        {"inadequate_organ_function": "yes", "dialysis": "no"},
    ),
    Pair(
        ("inadequate_organ_function", "creatinine_clearance"),
        {"inadequate_organ_function": "no", "creatinine_clearance": 6},
        "inadequate organ function: no beside creatinine clearance 6 mL/min",
        {"inadequate_organ_function": "no", "creatinine_clearance": 35},
    ),
    Pair(
        ("inadequate_organ_function", "egfr"),
        {"inadequate_organ_function": "no", "egfr": 6},
        "inadequate organ function: no beside eGFR 6 mL/min/1.73 m2",
        {"inadequate_organ_function": "no", "egfr": 35},
    ),
    Pair(
        ("inadequate_organ_function", "lvef"),
        {"inadequate_organ_function": "no", "lvef": 12},
        "inadequate organ function: no beside LVEF 12 %",
        {"inadequate_organ_function": "no", "lvef": 48},
    ),
    Pair(
        ("inadequate_organ_function", "oxygen_saturation"),
        {"inadequate_organ_function": "no", "oxygen_saturation": 72},
        "inadequate organ function: no beside oxygen saturation 72 %",
        {"inadequate_organ_function": "no", "oxygen_saturation": 93},
    ),
    Pair(
        ("abnormal_cardiac_findings", "lvef"),
        {"abnormal_cardiac_findings": "no", "lvef": 30},
        "abnormal cardiac findings: no beside LVEF 30 %",
        {"abnormal_cardiac_findings": "yes", "lvef": 65},
    ),
    Pair(
        ("mds", "second_cancer_risk"),
        {"mds": "yes", "second_cancer_risk": "no"},
        "earlier MDS or clonal cytopenia: yes beside another cancer, or a raised risk of one: no "
        "(blood cancers and a raised risk of them are meant)",
        {"mds": "no", "second_cancer_risk": "yes"},
    ),
)

TRUE_PROFILES = {
    "induction of four drugs, then maintenance": {
        "age": 55, "prior_lines": 1, "refractory_to": ["lenalidomide"], "exposed_to": ["daratumumab", "bortezomib"],
        "ecog": 0, "progression_on_last_therapy": "yes",
    },
    "triple-class refractory after one line": {
        "prior_lines": 1, "refractory_to": ["bortezomib", "lenalidomide", "daratumumab"],
    },
    "one line beside five drugs given": {"prior_lines": 1, "refractory_to": ["lenalidomide"], "exposed_to": [
        "bortezomib", "carfilzomib", "daratumumab", "melphalan",
    ]},
    "penta with ixazomib, never carfilzomib": {
        "prior_lines": 5, "penta_drug_refractory": "yes", "naive_to": ["carfilzomib"],
        "refractory_to": ["bortezomib", "ixazomib", "lenalidomide", "pomalidomide", "isatuximab"],
    },
    "penta with thalidomide, never lenalidomide": {"penta_drug_refractory": "yes", "naive_to": ["lenalidomide"]},
    "ECOG 1, Karnofsky 70": {"ecog": 1, "karnofsky": 70},
    "ECOG 2, Karnofsky 70": {"ecog": 2, "karnofsky": 70},
    "ECOG 0, Karnofsky 70": {"ecog": 0, "karnofsky": 70},
    "ECOG 3, Karnofsky 70": {"ecog": 3, "karnofsky": 70},
    "stage III at diagnosis, low value now": {"iss": 3, "beta2_microglobulin": "2 mg/L", "albumin": "4 g/dL"},
    "stage I at diagnosis, low albumin now": {"iss": 1, "albumin": "2.6 g/dL", "beta2_microglobulin": "5 mg/L"},
    "R-ISS I at diagnosis, del(17p) and LDH since": {"r_iss": 1, "del_17p": "yes", "ldh": 2},
    "high risk by gain of 1q": {
        "high_risk_cytogenetics": "yes", "del_17p": "no", "t_4_14": "no", "t_14_16": "no", "gain_1q": "yes",
    },
    "high risk by a change not asked for": {
        "high_risk_cytogenetics": "yes", "del_17p": "no", "t_4_14": "no", "t_14_16": "no", "gain_1q": "no",
    },
    "fit at 82": {"frail": "no", "age": 82, "ecog": 0, "charlson": 0},
    "frail by another index": {"frail": "yes", "age": 74, "ecog": 1, "charlson": 1},
    "not frail with a painful fracture": {"frail": "no", "ecog": 3},
    "small, old, little muscle: formula far above measured": {
        "age": 84, "weight": "41 kg", "sex": "female", "creatinine": "0.3 mg/dL", "creatinine_clearance": 28,
    },  # (140 - 84) x 41 x 0.85 / (72 x 0.3) = 90
    "180 kg: formula far above measured": {
        "age": 30, "weight": "180 kg", "sex": "male", "creatinine": "0.8 mg/dL", "creatinine_clearance": 105,
        "egfr": 118,
    },  # 110 x 180 / (72 x 0.8) = 344
    "250 kg, formula only": {"age": 30, "weight": "250 kg", "sex": "male", "creatinine": "0.8 mg/dL", "egfr": 115},
    "measured twice the estimate": {
        "age": 70, "weight": "60 kg", "sex": "female", "creatinine": "1.5 mg/dL", "creatinine_clearance": 66,
    },  # 70 x 60 x 0.85 / (72 x 1.5) = 33
    "renal impairment by a cut of 60": {"renal_impairment": "yes", "creatinine_clearance": 58},
    "no renal impairment, just below the cut": {"renal_impairment": "no", "creatinine_clearance": 41},
    "residual function under dialysis": {"dialysis": "yes", "creatinine_clearance": 18, "creatinine": "6 mg/dL"},
    "HBsAg without anti-HBc": {"hbsag": "yes", "anti_hbc": "no"},
    "antibodies of an earlier hepatitis B": {"hbsag": "no", "anti_hbc": "yes"},
    "never a live vaccine": {"live_vaccine": "never", "age": 40},
    "only BCMA therapy since the first line": {
        "weeks_since_last_therapy": "150 weeks", "prior_lines": 3, "prior_bcma_courses": ["car_t:4"],
    },
    "conventional therapy never, first line within a trial": {"weeks_since_last_therapy": "never", "prior_lines": 1},
    "T-cell redirection other than BCMA": {
        "prior_bcma": "no", "prior_t_cell_redirection": "yes", "refractory_to": ["talquetamab"],
    },
    "BCMA therapy other than T-cell redirection": {
        "prior_bcma": "yes", "prior_t_cell_redirection": "no", "prior_bcma_courses": ["adc:11"],
        "refractory_to": ["belantamab mafodotin"],
    },
    "BCMA product not listed": {
        "prior_bcma": "yes", "naive_to": ["teclistamab", "elranatamab", "ide-cel", "cilta-cel"],
    },
    "ferritin between laboratories' limits": {"ferritin_raised": "yes", "ferritin": "160 ng/mL"},
    "eighteen, treated as a baby": {"age": 18, "weeks_since_last_therapy": "980 weeks"},
    "a woman of 50, pregnant": {"age": 50, "sex": "female", "pregnancy": "yes"},
    "lymphocytes between laboratories' limits": {"lymphocytes": "0.9 10^9/L", "lymphopenia": "no"},
}  # fmt: skip
