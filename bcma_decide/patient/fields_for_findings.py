"""The fields that findings, labels and scores use; but for progression on BCMA therapy they move no number.

Rules and label conditions speak of them by their id. Unknown stays unknown: a rule then says what it needs.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from bcma_decide.patient.field import (
    CONDITIONS,
    DISEASE,
    INFECTION,
    LABORATORY,
    NERVES,
    ORGANS,
    PRACTICE,
    TREATMENT,
    ProfileField,
    Unit,
)
from bcma_decide.patient.fields_for_numbers import CELLS

WEEKS = (
    Unit("weeks", "week", ("week", "wk", "wks", "w"), loose=("Wochen", "Woche", "Wo")),
    Unit("days", "day", ("day", "d"), loose=("Tage", "Tag", "Tagen")),
    Unit("months", "month", ("month", "mo"), loose=("Monate", "Monat", "Monaten", "Mon", "mos")),
)
PERCENT = (Unit("%", "percent", ("percent",)),)
ULN = (Unit("x ULN", "dimensionless", ("ULN", "times ULN")),)

_asked = partial(ProfileField, findings_only=True)

FINDING_FIELDS: Final[tuple[ProfileField, ...]] = (
    _asked(
        "progression_on_last_therapy", "Progression on the last therapy", "yes_no", TREATMENT,
        "Progression on the last therapy?", "Progression while on it, as the European labels ask.",
        "Part of the European indications.",
        example="no",
    ),
    _asked(
        "progression_on_bcma", "Progression on BCMA therapy", "yes_no", TREATMENT,
        "Did the myeloma progress on a BCMA therapy?", "While on the antibody, or after a response to CAR-T was lost.",
        "Loss of the target makes another BCMA therapy less likely to work.",
        example="no", feeds=("prior_bcma",), findings_only=False,
    ),
    _asked(
        "weeks_since_last_therapy", "Time since the last conventional therapy", "quantity", TREATMENT,
        "How long ago was the last dose of conventional therapy?",
        "Chemotherapy or other drugs that harm T cells; CAR-T and bispecific antibodies are asked apart.",
        "Consensus asks for an interval before apheresis or a T-cell engager.",
        low=0, high=2000, units=WEEKS, never=True, example="3 weeks",
    ),
    _asked(
        "recent_alkylator", "Recent bendamustine or high-dose alkylator", "yes_no", TREATMENT,
        "Bendamustine or a high-dose alkylator of late?",
        "Within the last months, before T cells are collected or engaged.",
        "These drugs deplete T cells.",
        example="no",
    ),
    _asked(
        "rapid_progression", "Rapidly progressive disease", "yes_no", DISEASE,
        "Is the disease progressing so fast that weeks count?", "The treating physician's view.",
        "CAR-T takes weeks from collection to infusion.",
        example="no",
    ),
    _asked(
        "high_disease_burden", "High disease burden", "yes_no", DISEASE,
        "High disease burden?", "The treating physician's view; high marrow plasma cells count by themselves.",
        "Goes with more inflammation, and with shorter control under bispecific antibodies.",
        example="no",
    ),
    _asked(
        "cns_myeloma", "Myeloma of the central nervous system", "yes_no", NERVES,
        "Myeloma in the central nervous system?", "Cells in the spinal fluid, or meningeal or brain lesions.",
        "Such patients were left out of the pivotal trials.",
        example="no",
    ),
    _asked(
        "movement_disorder", "Parkinsonism or movement disorder", "yes_no", NERVES,
        "Parkinsonism or another movement disorder, ever?", "Any cause.",
        "Late parkinsonism is a boxed warning of one product.",
        example="no",
    ),
    _asked(
        "severe_neuropathy", "Guillain-Barre syndrome or severe neuropathy", "yes_no", NERVES,
        "Guillain-Barre syndrome or severe neuropathy, ever?", "Grade 3 or higher.",
        "Guillain-Barre syndrome is a boxed warning of one product.",
        example="no",
    ),
    _asked(
        "seizure_stroke_memory", "Seizure, stroke or memory loss", "yes_no", NERVES,
        "Seizure, stroke or memory loss, ever?", "Any of them.",
        "Labelled patient information asks for it before treatment.",
        example="no",
    ),
    _asked(
        "active_infection", "Active infection", "yes_no", INFECTION,
        "An active infection now?", "Uncontrolled, or being treated.",
        "Labels ask to wait until it is controlled.",
        example="no",
    ),
    _asked(
        "active_inflammation", "Active inflammatory disorder", "yes_no", INFECTION,
        "An active inflammatory disorder now?", "Autoimmune or other, not the myeloma.",
        "Labels of CAR-T ask to wait until it is resolved.",
        example="no",
    ),
    _asked(
        "earlier_infections", "Earlier infections", "yes_no", INFECTION,
        "Infections in the months before?", "Any that needed treatment.",
        "Go with more infections after CAR-T.",
        example="no",
    ),
    _asked(
        "life_threatening_infection", "Life-threatening infection", "yes_no", INFECTION,
        "A life-threatening infection, ever?", "Needing intensive care or leaving lasting harm.",
        "Weighs in the choice of protection and of time on treatment.",
        example="no",
    ),
    _asked(
        "severe_bacterial_infections", "Severe infections with encapsulated bacteria", "whole", INFECTION,
        "How many severe recurrent infections with encapsulated bacteria?",
        "Such as pneumococcus; within the course of the myeloma.",
        "A reason for immunoglobulin replacement whatever the IgG.",
        low=0, high=50, units=(Unit("infections", "count", ("infection",)),), unit_optional=True, example="0",
    ),
    _asked(
        "igg", "IgG", "quantity", INFECTION,
        "Serum IgG?", "Polyclonal IgG; in IgG myeloma without the paraprotein.",
        "Low IgG goes with infections under both options.",
        low=0, high=10000, units=(Unit("mg/dL", "milligram/deciliter"), Unit("g/L", "gram/liter")), example="620 mg/dL",
    ),
    _asked(
        "hbsag", "HBsAg", "yes_no", INFECTION,
        "HBsAg positive?", "Hepatitis B surface antigen.",
        "Hepatitis B can flare under both options.",
        example="no", test=True,
    ),
    _asked(
        "anti_hbc", "Anti-HBc", "yes_no", INFECTION,
        "Anti-HBc positive?", "Antibody against hepatitis B core; may be passive after immunoglobulins.",
        "Hepatitis B can flare under both options.",
        example="no", test=True,
    ),
    _asked(
        "hcv_antibody", "HCV antibody", "yes_no", INFECTION,
        "HCV antibody positive?", "Antibody against hepatitis C.",
        "Asks for HCV RNA before the start.",
        example="no", test=True,
    ),
    _asked(
        "hiv", "HIV", "yes_no", INFECTION,
        "HIV positive?", "HIV test; no means tested and negative.",
        "Labels and guidance ask for a test before the start.",
        example="no", test=True,
    ),
    _asked(
        "live_vaccine", "Last live vaccine", "quantity", INFECTION,
        "How long ago was the last live vaccine?", "Or the planned one, counted to the start of treatment.",
        "Labels ask for an interval between live vaccines and treatment.",
        low=0, high=5000, units=WEEKS, never=True, example="never",
    ),
    _asked(
        "lymphocytes", "Lymphocytes", "quantity", LABORATORY,
        "Absolute lymphocyte count?", "Before apheresis or the first dose.",
        "Few lymphocytes make collection harder and go with shorter control.",
        low=0, high=500, units=CELLS, example="0.9 10^9/L",
    ),
    _asked(
        "lymphopenia", "Lymphopenia", "yes_no", LABORATORY,
        "Lymphopenia?", "Below the laboratory's normal range.",
        "Goes with shorter control under one bispecific antibody.",
        example="no",
    ),
    _asked(
        "ferritin_raised", "Ferritin above normal", "yes_no", LABORATORY,
        "Ferritin above the laboratory's normal limit?", "At the start of lymphodepletion, or the latest value.",
        "An item of MyCARe.",
        example="no",
    ),
    _asked(
        "lvef", "LVEF", "quantity", ORGANS,
        "Left ventricular ejection fraction?", "By echocardiography or scan, within about three months.",
        "Trials asked for a minimum; cytokine release strains the heart.",
        low=5, high=90, units=PERCENT, unit_optional=True, example="58 %",
    ),
    _asked(
        "atrial_fibrillation", "Earlier atrial fibrillation", "yes_no", ORGANS,
        "Atrial fibrillation, ever?", "Any form.",
        "Goes with cardiovascular events after CAR-T.",
        example="no",
    ),
    _asked(
        "antiplatelet", "Antiplatelet drug", "yes_no", ORGANS,
        "Taking an antiplatelet drug?", "Such as acetylsalicylic acid or clopidogrel.",
        "Goes with cardiovascular events after CAR-T.",
        example="no",
    ),
    _asked(
        "abnormal_cardiac_findings", "Abnormal cardiac findings", "yes_no", ORGANS,
        "Abnormal cardiac measures at baseline?", "Echocardiography, ECG or markers.",
        "Studies disagree on what they foretell.",
        example="no",
    ),
    _asked(
        "oxygen_saturation", "Oxygen saturation", "quantity", ORGANS,
        "Oxygen saturation on room air?", "By pulse oximetry at rest.",
        "Trials asked for a minimum.",
        low=50, high=100, units=PERCENT, unit_optional=True, example="96 %",
    ),
    _asked(
        "ast_alt", "AST or ALT", "quantity", ORGANS,
        "AST or ALT, the higher, as a multiple of the upper limit?",
        "Value divided by the laboratory's upper limit of normal.",
        "Trials asked for a maximum.",
        low=0.1, high=200, units=ULN, unit_optional=True, example="0.8 x ULN",
    ),
    _asked(
        "liver_disease", "Liver disease", "yes_no", ORGANS,
        "Liver disease?", "Chronic or active.",
        "Liver injury is a labelled warning of one product.",
        example="no",
    ),
    _asked(
        "inadequate_organ_function", "Inadequate organ function", "yes_no", ORGANS,
        "Kidney, liver, lung or heart function inadequate?",
        "The treating physician's view; the European label gives no limits.",
        "The European label of one product asks for special attention.",
        example="no",
    ),
    _asked(
        "hypersensitivity", "Hypersensitivity to the product", "yes_no", CONDITIONS,
        "Hypersensitivity to a product or its excipients?", "Of the products compared.",
        "The one contraindication of the European labels of bispecific antibodies.",
        example="no",
    ),
    _asked(
        "pregnancy", "Pregnancy", "yes_no", CONDITIONS,
        "Pregnant?", "By test; breastfeeding and plans are not meant.",
        "Labels advise against treatment in pregnancy.",
        example="no",
    ),
    _asked(
        "second_cancer_risk", "Another cancer, or a raised risk of one", "yes_no", CONDITIONS,
        "Another cancer now or earlier, or a raised risk?", "Blood cancers included.",
        "Second cancers are a boxed warning of CAR-T.",
        example="no",
    ),
    _asked(
        "mds", "Earlier MDS or clonal cytopenia", "yes_no", CONDITIONS,
        "Myelodysplastic syndrome or clonal cytopenia?", "Proven.",
        "Usually left out of CAR-T trials.",
        example="no",
    ),
    _asked(
        "active_gvhd", "Active graft-versus-host disease", "yes_no", CONDITIONS,
        "Active graft-versus-host disease?", "After an allogeneic transplant.",
        "A reason to wait on a European label.",
        example="no",
    ),
    _asked(
        "immunosuppressants", "Immunosuppressants", "yes_no", CONDITIONS,
        "Taking immunosuppressants that cannot be stopped?", "Beyond the myeloma treatment.",
        "They harm the collection and function of T cells.",
        example="no",
    ),
    _asked(
        "anticoagulation_fixed", "Anticoagulation that cannot be stopped", "yes_no", CONDITIONS,
        "Anticoagulation that cannot be stopped?", "For collection and the acute phase.",
        "Platelets fall after CAR-T.",
        example="no",
    ),
    _asked(
        "unresolved_adverse_event", "Unresolved serious adverse event", "yes_no", CONDITIONS,
        "An unresolved serious adverse event of earlier treatment?",
        "Above all of lung or heart, or low blood pressure.",
        "A label asks to wait until it is resolved.",
        example="no",
    ),
    _asked(
        "too_unfit_for_car_t", "Judged unfit for CAR-T", "yes_no", CONDITIONS,
        "Frailty or illness that rules out CAR-T in the team's view?", "The treating team's view.",
        "Experts then turn to bispecific antibodies.",
        example="no",
    ),
    _asked(
        "caregiver", "Caregiver available", "yes_no", PRACTICE,
        "Is there a caregiver for the first weeks?", "Day and night.",
        "Labels and centres ask for one.",
        example="no",
    ),
    _asked(
        "weeks_near_centre", "Time able to stay near the centre", "quantity", PRACTICE,
        "How long can the patient stay near the treating centre?",
        "Within about two hours, after the infusion or first doses.",
        "Labels ask for it.",
        low=0, high=104, units=WEEKS, example="4 weeks",
    ),
    _asked(
        "weeks_without_driving", "Time able to go without driving", "quantity", PRACTICE,
        "How long can the patient go without driving?", "And without hazardous work.",
        "Labels ask for it.",
        low=0, high=104, units=WEEKS, example="8 weeks",
    ),
    _asked(
        "monitoring_possible", "48 h admission or monitoring possible", "yes_no", PRACTICE,
        "Can the patient be admitted or monitored for 48 hours at each step-up dose?",
        "In hospital, or daily near a centre.",
        "Labels of bispecific antibodies ask for it.",
        example="no",
    ),
    _asked(
        "visits_possible", "Regular visits possible", "yes_no", PRACTICE,
        "Can the patient come weekly to monthly for as long as treatment lasts?", "Transport and distance included.",
        "Bispecific antibodies are given until progression.",
        example="no",
    ),
)  # fmt: skip
