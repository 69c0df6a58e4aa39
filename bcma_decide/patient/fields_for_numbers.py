"""The fields that numbers rest on: they feed the traits of the model.

A field's own words hold no cut-off: that stands in the definitions. Ranges are of what is plausible at all, not of
what is normal or high.
"""

from __future__ import annotations

from typing import Final

from bcma_decide.patient.field import DISEASE, KIDNEY, LABORATORY, PERSON, TREATMENT, ProfileField, Unit

COUNT = "gigacount/liter"
CELLS = (
    Unit("10^9/L", COUNT, ("10*9/L", "10**9/L", "10e9/L", "1e9/L", "10⁹/L", "G/L", "Gpt/L"),
         loose=("/nL", "1/nL", "Giga/L", "Gpt./L", "Mrd/L", "Mrd./L")),
    Unit("/uL", "count/microliter", ("1/uL", "cells/uL", "/mm3", "/mm^3", "cells/mm3", "/mcL", "cells/mcL"),
         loose=("/mm³", "/cmm", "/cumm", "cells/cmm", "Zellen/uL", "per uL", "pro uL")),
    Unit("10^3/uL", "kilocount/microliter", ("10*3/uL", "10**3/uL", "10e3/uL", "10³/uL", "K/uL", "10^3/mm3",
         "10*3/mm3"),
         loose=("Tsd/uL", "Tsd./uL", "Tausend/uL", "thou/uL", "thou/mm3", "thousand/uL", "K/mm3", "k/mm³", "K/mcL",
                "Tsd/mm3", "Tsd./mm3", "10^3/mcL", "10³/mm³", "th/mm3", "th/uL")),
)  # fmt: skip
_HEMATOTOX = "One of the five CAR-HEMATOTOX items, which mark blood counts, infection and survival after CAR-T."
_HEMATOTOX_TIME = "Before lymphodepletion, or the latest value."

# Molar mass of creatinine, C4H7N3O, in g/mol: a chemical constant.
CREATININE_MOLAR_MASS = 113.12
# Molar mass of the haemoglobin monomer, one globin chain with one haem, in g/mol: a chemical constant (a quarter of
# the tetramer's 64,458 g/mol; ICSH, Zwart A et al. J Clin Pathol 1996;49:271-274). Laboratories that report mmol/L
# count monomers, so that 1 mmol/L is 1.611 g/dL (0.6206 mmol/L a g/dL).
HEMOGLOBIN_MOLAR_MASS = 16_114.0

NUMBER_FIELDS: Final[tuple[ProfileField, ...]] = (
    ProfileField(
        "age", "Age", "whole", PERSON,
        "How old is the patient?",
        "Age in completed years.",
        "Older patients have been treated with both; some toxicities differ by age.",
        low=18, high=110, units=(Unit("years", "year", ("y", "yr", "yrs", "year"),
            loose=("y/o", "yo", "y.o.", "years old", "year old", "-year-old", "J", "J.", "Jahre",
                   "Jahre alt", "a", "LJ")),), unit_optional=True,
        example="71", feeds=("age", "frail"),
    ),
    ProfileField(
        "sex", "Sex", "choice", PERSON,
        "Sex, for the formulas of kidney function?",
        "As the formulas count it.",
        "Kidney function is worked out from creatinine differently for women and men.",
        choices=(("female", ("f", "woman", "w", "weiblich", "frau")), ("male", ("m", "man", "männlich", "mann"))),
        example="female", feeds=("renal_impairment",),
    ),
    ProfileField(
        "weight", "Body weight", "quantity", PERSON,
        "Body weight?", "Actual weight.",
        "Enters the Cockcroft-Gault formula.",
        low=25, high=300, units=(Unit("kg", "kilogram",
            loose=("kgs", "kilo", "kilos")), Unit("lb", "pound", ("lbs", "[lb_av]"), loose=("pounds",))),
        example="70 kg", feeds=("renal_impairment",),
    ),
    ProfileField(
        "ecog", "ECOG performance status", "whole", PERSON,
        "ECOG performance status now?",
        "0 fully active, 1 restricted in strenuous work, 2 up more than half of the day, "
        "3 in bed or chair more than half of the day, 4 bedbound.",
        "Worse performance goes with shorter control of the disease and more infections.",
        low=0, high=4, example="1", feeds=("ecog_ge_2", "frail"), rules=("ecog_ge_2",),
    ),
    ProfileField(
        "karnofsky", "Karnofsky performance status", "whole", PERSON,
        "Karnofsky performance status now?",
        "0 to 100; asked where ECOG is not at hand, and turned into it by the published table.",
        "Stands in for ECOG.",
        low=0, high=100, units=(Unit("%", "percent", ("percent",)),), unit_optional=True,
        example="80", feeds=("ecog_ge_2", "frail"), skip_if="ecog",
    ),
    ProfileField(
        "charlson", "Charlson comorbidity index", "whole", PERSON,
        "Charlson comorbidity index?",
        "Points for other illnesses, without points for age and without the myeloma itself.",
        "An item of the simplified frailty index.",
        low=0, high=35, units=(Unit("points", "count", ("point",)),), unit_optional=True,
        example="1", feeds=("frail",),
    ),
    ProfileField(
        "frail", "Frail", "yes_no", PERSON,
        "Is the patient frail?",
        "By the simplified IMWG index; left out, it is worked out from age, ECOG and Charlson index if they settle it.",
        "Frail patients were left out of most trials; ordinary care has data on them.",
        example="no", feeds=("frail",),
    ),
    ProfileField(
        "high_risk_cytogenetics", "High-risk cytogenetics", "yes_no", DISEASE,
        "High-risk cytogenetics?",
        "At any time in the course of the disease.",
        "Lowers the response rate to both classes; most readers ask for it.",
        example="yes", feeds=("high_risk_cytogenetics",),
    ),
    ProfileField(
        "del_17p", "del(17p)", "yes_no", DISEASE,
        "Deletion 17p?", "FISH on plasma cells, at any time.",
        "One of the changes that make high-risk cytogenetics.",
        example="no", feeds=("high_risk_cytogenetics",), skip_if="high_risk_cytogenetics",
    ),
    ProfileField(
        "t_4_14", "t(4;14)", "yes_no", DISEASE,
        "Translocation t(4;14)?", "FISH on plasma cells, at any time.",
        "One of the changes that make high-risk cytogenetics.",
        example="no", feeds=("high_risk_cytogenetics",), skip_if="high_risk_cytogenetics",
    ),
    ProfileField(
        "t_14_16", "t(14;16)", "yes_no", DISEASE,
        "Translocation t(14;16)?", "FISH on plasma cells, at any time.",
        "One of the changes that make high-risk cytogenetics.",
        example="no", feeds=("high_risk_cytogenetics",), skip_if="high_risk_cytogenetics",
    ),
    ProfileField(
        "gain_1q", "Gain of 1q", "yes_no", DISEASE,
        "Gain or amplification of 1q?", "FISH on plasma cells, at any time.",
        "Shown, in no number: most studies did not count it as high risk by itself.",
        example="no",
    ),
    ProfileField(
        "extramedullary_disease", "Extramedullary disease", "yes_no", DISEASE,
        "Extramedullary disease now?", "On current imaging.",
        "Lowers the response rate to both classes.",
        example="no", feeds=("extramedullary_disease",),
    ),
    ProfileField(
        "plasma_cell_leukemia", "Plasma cell leukaemia", "yes_no", DISEASE,
        "Plasma cell leukaemia?", "Primary or secondary.",
        "Rare and aggressive; few such patients are in the studies.",
        example="no", feeds=("plasma_cell_leukemia",),
    ),
    ProfileField(
        "iss", "ISS stage", "stage", DISEASE,
        "ISS stage?", "From albumin and beta-2 microglobulin now; if not measured, the last known stage.",
        "Marks the burden of disease.",
        low=1, high=3, example="2", feeds=("iss_3", "r_iss_3"),
    ),
    ProfileField(
        "r_iss", "R-ISS stage", "stage", DISEASE,
        "R-ISS stage?", "ISS with cytogenetics and LDH; as for ISS.",
        "Marks the burden and the biology of disease.",
        low=1, high=3, example="2", feeds=("r_iss_3", "iss_3"), rules=("r_iss_3",),
    ),
    ProfileField(
        "beta2_microglobulin", "Beta-2 microglobulin", "quantity", DISEASE,
        "Beta-2 microglobulin?", "In serum, now.",
        "With albumin it makes the ISS stage where that is not known.",
        low=0.1, high=150,
        units=(Unit("mg/L", "milligram/liter", ("ug/mL", "mcg/mL")), Unit("mg/dL", "milligram/deciliter")),
        example="4.1 mg/L", feeds=("iss_3", "r_iss_3"), skip_if="iss",
    ),
    ProfileField(
        "albumin", "Albumin", "quantity", DISEASE,
        "Albumin?", "In serum, now.",
        "With beta-2 microglobulin it makes the ISS stage where that is not known.",
        low=0.5, high=7, units=(Unit("g/dL", "gram/deciliter"), Unit("g/L", "gram/liter")),
        example="3.6 g/dL", feeds=("iss_3", "r_iss_3"), skip_if="iss",
    ),
    ProfileField(
        "ldh", "LDH", "quantity", DISEASE,
        "LDH, as a multiple of the laboratory's upper limit?",
        "Value divided by the upper limit of normal of the same laboratory; methods differ, so units are not compared.",
        "Raised LDH counts in R-ISS and R2-ISS.",
        low=0.1, high=100, units=(Unit("x ULN", "dimensionless", ("ULN", "times ULN")),), unit_optional=True,
        example="1.3 x ULN", feeds=("r_iss_3",), skip_if="r_iss",
    ),
    ProfileField(
        "ldh_upper_limit", "Upper limit of LDH", "quantity", DISEASE,
        "The laboratory's upper limit of normal for LDH, in U/L?",
        "Beside an LDH in U/L, which is divided by it.",
        "Methods of measuring LDH differ, so that units alone cannot be compared.",
        low=50, high=1000, units=(Unit("U/L", "count/liter", ("IU/L", "E/L", "units/L")),), unit_optional=True,
        example="250 U/L", skip_if="r_iss",
    ),
    ProfileField(
        "marrow_plasma_cells", "Marrow plasma cells", "quantity", DISEASE,
        "Plasma cells in the marrow?", "Biopsy or aspirate, the higher, latest sample.",
        "Much disease in the marrow goes with more cytopenia and inflammation.",
        low=0, high=100, units=(Unit("%", "percent", ("percent",)),), unit_optional=True,
        example="60 %", feeds=("bone_marrow_plasma_cells_high",),
        rules=("bone_marrow_plasma_cells_high",),
    ),
    ProfileField(
        "prior_lines", "Earlier lines of therapy", "whole", TREATMENT,
        "How many lines of therapy so far?",
        "A planned course counts once: induction, transplant and maintenance together are one line.",
        "Patients with many earlier lines respond less often.",
        low=1, high=30, units=(Unit("lines", "count", ("line",),
            loose=("prior lines", "Linien", "Linie", "Therapielinien", "Vortherapien")),), unit_optional=True,
        example="4", feeds=("prior_lines", "penta_drug_refractory"),
    ),
    ProfileField(
        "refractory_to", "Refractory to", "drugs", TREATMENT,
        "Which drugs is the myeloma refractory to?",
        "A drug not named is unknown.",
        "Tells how much has failed.",
        feeds=("triple_class_refractory", "penta_drug_refractory", "prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "exposed_to", "Exposed, not refractory", "drugs", TREATMENT,
        "Which drugs were given without the myeloma becoming refractory?",
        "Given, stopped for another reason than progression. A drug not named is unknown.",
        "Tells what has not failed.",
        feeds=("triple_class_refractory", "penta_drug_refractory", "prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "naive_to", "Never given", "drugs", TREATMENT,
        "Which drugs were never given?", "A drug not named is unknown.",
        "Tells what cannot have failed.",
        feeds=("triple_class_refractory", "penta_drug_refractory", "prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "received", "Given, result not known", "drugs", TREATMENT,
        "Which drugs were given, without it being known whether the myeloma became refractory?",
        "As a record of medicines tells: given, and no more. A drug that also stands above counts as said there.",
        "Tells what was given; whether it failed stays unknown.",
        feeds=("triple_class_refractory", "penta_drug_refractory", "prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "triple_class_refractory", "Triple-class refractory", "yes_no", TREATMENT,
        "Triple-class refractory?", "Worked out from the drugs where they settle it.",
        "Marks heavily treated disease.",
        example="yes", feeds=("triple_class_refractory", "penta_drug_refractory"),
    ),
    ProfileField(
        "penta_drug_refractory", "Penta-drug refractory", "yes_no", TREATMENT,
        "Penta-drug refractory?", "Worked out from the drugs where they settle it.",
        "Marks the most heavily treated disease.",
        example="no", feeds=("penta_drug_refractory", "triple_class_refractory"),
    ),
    ProfileField(
        "prior_bcma", "Earlier BCMA therapy", "yes_no", TREATMENT,
        "Any earlier therapy against BCMA?", "",
        "Lowers the response rate to another one.",
        example="no", feeds=("prior_bcma",),
    ),
    ProfileField(
        "prior_bcma_courses", "Earlier BCMA courses", "courses", TREATMENT,
        "Which BCMA therapies, and how many months since the last dose or the infusion?",
        "One entry per course; the months may be unknown.",
        "Kind and time since matter for a second BCMA therapy. The months are shown, in no number.",
        low=0, high=600, example="car_t:7", feeds=("prior_bcma", "prior_t_cell_redirection"),
    ),
    ProfileField(
        "prior_t_cell_redirection", "Earlier T-cell redirection", "yes_no", TREATMENT,
        "Any earlier CAR-T or bispecific antibody?", "",
        "Cytokine release is rarer under a later bispecific antibody.",
        example="no", feeds=("prior_t_cell_redirection",),
    ),
    ProfileField(
        "renal_impairment", "Renal impairment", "yes_no", KIDNEY,
        "Renal impairment?", "Worked out from creatinine clearance or dialysis where given.",
        "Fludarabine before CAR-T is cleared by the kidney; some toxicities are more frequent.",
        example="no", feeds=("renal_impairment",),
    ),
    ProfileField(
        "creatinine", "Creatinine", "quantity", KIDNEY,
        "Serum creatinine?", "Stable value, not on dialysis.",
        "Kidney function is worked out from it where it was not measured.",
        low=0.1, high=25,
        units=(
            Unit("mg/dL", "milligram/deciliter", loose=("mg%", "mg/100mL")),
            Unit("umol/L", "micromole/liter", ("µmol/L", "micromol/L"), CREATININE_MOLAR_MASS),
        ),
        example="1.1 mg/dL", feeds=("renal_impairment",),
    ),
    ProfileField(
        "creatinine_clearance", "Creatinine clearance", "quantity", KIDNEY,
        "Creatinine clearance?",
        "Measured, not indexed to body surface; left out, by Cockcroft-Gault from age, sex, creatinine and weight, "
        "as a span where the weight is not known.",
        "Decides about renal impairment and the dose of fludarabine.",
        low=1, high=250, units=(Unit("mL/min", "milliliter/minute",
            loose=("mL/min.", "cc/min")), Unit("mL/s", "milliliter/second")),
        unit_optional=True, staged=True, example="62 mL/min", feeds=("renal_impairment",), rules=("renal_impairment",),
    ),
    ProfileField(
        "egfr", "eGFR", "quantity", KIDNEY,
        "Estimated glomerular filtration rate?",
        "Indexed to body surface; left out, by CKD-EPI 2021 from age, sex and creatinine.",
        "Some studies and rules speak of it; where no creatinine is known, the clearance is worked out from it.",
        low=1, high=250,
        units=(Unit("mL/min/1.73 m2", "milliliter/minute", ("mL/min/1.73m2", "mL/min/1.73m²", "mL/min/1.73 m²"),
                loose=("mL/min", "mL/min/1,73m2", "mL/min/1,73m²", "mL/min/1.73qm", "mL/min/1,73qm",
                       "mL/min/1.73", "mL/min/1,73")),),
        unit_optional=True, staged=True, example="58", feeds=("renal_impairment",),
    ),
    ProfileField(
        "dialysis", "Dialysis", "yes_no", KIDNEY,
        "On dialysis?", "Chronic dialysis now.",
        "Only case series exist for patients on dialysis.",
        example="no", feeds=("renal_impairment",),
    ),
    ProfileField(
        "ferritin", "Ferritin", "quantity", LABORATORY,
        "Ferritin?", _HEMATOTOX_TIME,
        "Marks inflammation and burden; also a CAR-HEMATOTOX item.",
        low=1, high=200_000,
        units=(Unit("ng/mL", "nanogram/milliliter"), Unit("ug/L", "microgram/liter", ("mcg/L",))),
        example="850 ng/mL", feeds=("ferritin_high", "car_hematotox_high"),
        rules=("ferritin_high",),
    ),
    ProfileField(
        "crp", "C-reactive protein", "quantity", LABORATORY,
        "C-reactive protein?", _HEMATOTOX_TIME, _HEMATOTOX,
        low=0, high=100, units=(Unit("mg/dL", "milligram/deciliter"), Unit("mg/L", "milligram/liter")),
        example="1.2 mg/dL", feeds=("car_hematotox_high",),
    ),
    ProfileField(
        "neutrophils", "Neutrophils", "quantity", LABORATORY,
        "Absolute neutrophil count?", _HEMATOTOX_TIME, _HEMATOTOX,
        low=0, high=100, units=CELLS, example="1.8 10^9/L", feeds=("car_hematotox_high",),
    ),
    ProfileField(
        "hemoglobin", "Haemoglobin", "quantity", LABORATORY,
        "Haemoglobin?", _HEMATOTOX_TIME, _HEMATOTOX,
        low=2, high=25, units=(
            Unit("g/dL", "gram/deciliter", loose=("g%", "gm/dL", "gm%", "g/100mL")),
            Unit("g/L", "gram/liter"),
            Unit("mmol/L", "millimole/liter", (), HEMOGLOBIN_MOLAR_MASS, convention="monomer, 1 mmol/L = 1.611 g/dL"),
        ),
        example="10.4 g/dL", feeds=("car_hematotox_high",),
    ),
    ProfileField(
        "platelets", "Platelets", "quantity", LABORATORY,
        "Platelets?", _HEMATOTOX_TIME, _HEMATOTOX,
        low=0, high=3000, units=CELLS, example="120 10^9/L", feeds=("car_hematotox_high",),
    ),
)  # fmt: skip
