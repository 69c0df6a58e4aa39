"""Small records in which something beside a result turns, spoils or contradicts it, and their plain twins.

Expected values are read off the record by hand. None: the profile holds nothing of the field, and the ledger says why.
"""

import pytest

from tests.fhir.reading.support.beside import amount, coded_result, concept, held, loinc, result, side, specimen
from tests.fhir.reading.support.records import ICD10CM, LOINC, NCIT, SNOMED, UCUM, condition, observation
from tests.support.cases import for_each

CREATININE = amount(1.4, "mg/dL")
HB = amount(9.1, "g/dL")
AT_SPECIMEN = {"specimen": {"reference": "Specimen/sp"}}

# field, resources, value
WORDS = [
    # the words of the code
    ("creatinine", [result(loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"), CREATININE)], 1.4),
    ("creatinine", [result(loinc("2160-0", "", "Kreatinin i.S."), CREATININE)], 1.4),
    ("creatinine", [result(loinc("2160-0", "", "CREA"), CREATININE)], 1.4),
    ("creatinine", [result(loinc("2160-0", "", "Creatinine, random urine"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "Creatinine [Mass/volume] in Urine"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Urinkreatinin"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Kreatinin im Harn"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Creatinine, dialysis fluid"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Creatinine clearance"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Creatine kinase"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Creatinine (previous value)"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Creatinine, kidney donor"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Creatinine, target"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "Urea nitrogen"), CREATININE)], None),
    ("creatinine", [result(loinc("2160-0", "", "Harnstoff"), CREATININE)], None),
    ("creatinine", [result(loinc("38483-4", "Creatinine [Mass/volume] in Blood"), CREATININE)], 1.4),
    ("hemoglobin", [result(loinc("718-7", "Hemoglobin [Mass/volume] in Blood"), HB)], 9.1),
    ("hemoglobin", [result(loinc("718-7", "", "Hämoglobin (EDTA-Blut)"), HB)], 9.1),
    ("hemoglobin", [result(loinc("718-7", "Hemoglobin A1c"), HB)], None),
    ("hemoglobin", [result(loinc("718-7", "", "Mean corpuscular hemoglobin concentration"), HB)], None),
    ("hemoglobin", [result(loinc("718-7", "", "Free hemoglobin, plasma"), HB)], None),
    ("hemoglobin", [result(loinc("718-7", "", "Hb cord blood"), HB)], None),
    ("hemoglobin", [result(loinc("718-7", "", "Transfusion threshold hemoglobin"), HB)], None),
    ("hemoglobin", [result(loinc("718-7", "", "Glucose"), HB)], None),
    (
        "platelets",
        [result(loinc("777-3", "Platelets [#/volume] in Blood by Automated count"), amount(85, "10*9/L"))],
        85,
    ),
    ("platelets", [result(loinc("777-3", "", "Mean platelet volume"), amount(85, "10*9/L"))], None),
    ("platelets", [result(loinc("777-3", "", "Platelets, clumped"), amount(85, "10*9/L"))], None),
    ("platelets", [result(loinc("777-3", "", "Platelets (aggregates seen)"), amount(85, "10*9/L"))], None),
    ("hemoglobin", [result(loinc("718-7"), HB, interpretation=[{"text": "Invalid result"}])], None),
    ("hemoglobin", [result(loinc("718-7"), HB, interpretation=[{"text": "Low"}])], 9.1),
    ("hbsag", [coded_result(loinc("5195-3"), LOINC, "LA6576-8", "Positive")], True),
    ("hbsag", [coded_result(loinc("5195-3"), LOINC, "LA6577-6", "Negative")], False),
    ("hbsag", [coded_result(loinc("5195-3"), LOINC, "LA6577-6", "Positive")], None),
    ("hbsag", [coded_result(loinc("5195-3"), LOINC, "LA0000-0", "Positive")], None),
    ("hbsag", [coded_result(loinc("5195-3"), "urn:oid:1.2.3", "17", "Positive")], True),
    ("r_iss", [coded_result(concept(NCIT, "C141392", "", "R-ISS of a relative"), NCIT, "C141396")], None),
    ("r_iss", [coded_result(concept(NCIT, "C141392", "", "R-ISS stage"), NCIT, "C141396")], 3),
    ("neutrophils", [result(loinc("751-8", "Neutrophils [#/volume] in Blood"), amount(1.1, "10*9/L"))], 1.1),
    ("neutrophils", [result(loinc("751-8", "", "Neutrophils/100 leukocytes"), amount(1.1, "10*9/L"))], None),
    ("neutrophils", [result(loinc("751-8", "", "Neutrophils, ascites"), amount(1.1, "10*9/L"))], None),
    ("lymphocytes", [result(loinc("731-0", "", "CD4 T lymphocytes"), amount(0.4, "10*9/L"))], None),
    ("ferritin", [result(loinc("2276-4", "", "Transferrin"), amount(300, "ng/mL"))], None),
    ("albumin", [result(loinc("1751-7", "", "Albumin, CSF"), amount(3.1, "g/dL"))], None),
    ("albumin", [result(loinc("1751-7", "", "Prealbumin"), amount(3.1, "g/dL"))], None),
    (
        "albumin",
        [
            result(
                loinc(
                    "61151-7", "Albumin [Mass/volume] in Serum or Plasma by Bromocresol green (BCG) dye binding method"
                ),
                amount(3.1, "g/dL"),
            )
        ],
        3.1,
    ),
    ("igg", [result(loinc("2465-3", "IgG [Mass/volume] in Serum or Plasma"), amount(6.2, "g/L"))], 620),
    ("igg", [result(loinc("2465-3", "", "IgG subclass 1"), amount(6.2, "g/L"))], None),
    ("igg", [result(loinc("2465-3", "", "CMV IgG"), amount(6.2, "g/L"))], None),
    ("beta2_microglobulin", [result(loinc("1952-1", "", "Beta-2 microglobulin, urine"), amount(4.1, "mg/L"))], None),
    ("lvef", [result(loinc("10230-1", "Left ventricular Ejection fraction"), amount(55, "%"))], 55),
    ("lvef", [result(loinc("10230-1", "", "Right ventricular ejection fraction"), amount(55, "%"))], None),
    ("marrow_plasma_cells", [result(loinc("11118-7", "Plasma cells/100 cells in Bone marrow"), amount(60, "%"))], 60),
    ("marrow_plasma_cells", [result(loinc("11118-7", "", "Plasma cells in peripheral blood"), amount(60, "%"))], None),
    ("weight", [result(loinc("29463-7", "Body weight"), amount(70, "kg"))], 70),
    ("weight", [result(loinc("3141-9", "Body weight Measured"), amount(70, "kg"))], 70),
    ("weight", [result(loinc("29463-7", "", "Ideal body weight"), amount(70, "kg"))], None),
    ("weight", [result(loinc("29463-7", "", "Birth weight"), amount(70, "kg"))], None),
    ("weight", [result(loinc("29463-7", "", "Target weight"), amount(70, "kg"))], None),
    ("weight", [result(loinc("29463-7", "Body height"), amount(70, "kg"))], None),
    (
        "egfr",
        [
            result(
                loinc(
                    "33914-3",
                    "Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum or Plasma "
                    "by Creatinine-based formula (MDRD)",
                ),
                amount(58, "mL/min/{1.73_m2}"),
            )
        ],
        58,
    ),
    ("egfr", [result(loinc("98979-8", "", "eGFR (CKD-EPI 2021, without race)"), amount(58, "mL/min/{1.73_m2}"))], 58),
    ("egfr", [result(loinc("98979-8", "", "eGFR (MDRD)"), amount(58, "mL/min/{1.73_m2}"))], None),
    ("egfr", [result(loinc("62238-1", "", "eGFR if African American"), amount(58, "mL/min/{1.73_m2}"))], None),
    ("egfr", [result(loinc("62238-1", "", "eGFR cystatin C"), amount(58, "mL/min/{1.73_m2}"))], None),
    ("egfr", [result(loinc("62238-1", "", "Creatinine"), amount(58, "mL/min/{1.73_m2}"))], None),
    (
        "creatinine_clearance",
        [
            result(
                loinc("2164-2", "Creatinine renal clearance in 24 hour Urine and Serum or Plasma"), amount(62, "mL/min")
            )
        ],
        62,
    ),
    (
        "creatinine_clearance",
        [
            result(
                loinc("35591-7", "Creatinine renal clearance predicted by Cockcroft-Gault formula"),
                amount(62, "mL/min"),
            )
        ],
        62,
    ),
    (
        "creatinine_clearance",
        [result(loinc("2164-2", "", "Creatinine clearance by Cockcroft-Gault"), amount(62, "mL/min"))],
        None,
    ),
    # the panel a component stands in
    (
        "creatinine",
        [
            observation(
                "o1",
                {"text": "Basic metabolic panel"},
                component=[{"code": loinc("2160-0"), "valueQuantity": CREATININE}],
            )
        ],
        1.4,
    ),
    (
        "creatinine",
        [
            observation(
                "o1",
                {"text": "Urine chemistry panel"},
                component=[{"code": loinc("2160-0"), "valueQuantity": CREATININE}],
            )
        ],
        None,
    ),
    (
        "hemoglobin",
        [observation("o1", {"text": "Donor blood count"}, component=[{"code": loinc("718-7"), "valueQuantity": HB}])],
        None,
    ),
]

BESIDE = [
    # the specimen, the place, the method
    (
        "creatinine",
        [
            specimen(concept("http://terminology.hl7.org/CodeSystem/v2-0487", "SER")),
            result("2160-0", CREATININE, **AT_SPECIMEN),
        ],
        1.4,
    ),
    (
        "creatinine",
        [
            specimen(concept("http://terminology.hl7.org/CodeSystem/v2-0487", "UR")),
            result("2160-0", CREATININE, **AT_SPECIMEN),
        ],
        None,
    ),
    ("creatinine", [result(loinc("2160-0", "", "Créatinine urinaire"), CREATININE)], None),
    ("weight", [result("3141-9", amount(220.462262, "[lb_av]"))], 100),
    (
        "crp",
        [
            result(
                "1988-5",
                {
                    **amount(0, "mg/L"),
                    "extension": [
                        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
                    ],
                },
            )
        ],
        None,
    ),
    ("platelets", [result("777-3", amount(85, "10*3/uL", "10*6/uL"))], None),
    (
        "creatinine",
        [specimen(concept(SNOMED, "119364003", "Serum specimen")), result("2160-0", CREATININE, **AT_SPECIMEN)],
        1.4,
    ),
    (
        "creatinine",
        [specimen(concept(SNOMED, "122575003", "Urine specimen")), result("2160-0", CREATININE, **AT_SPECIMEN)],
        None,
    ),
    ("creatinine", [specimen(concept(SNOMED, "122575003")), result("2160-0", CREATININE, **AT_SPECIMEN)], None),
    ("creatinine", [specimen({"text": "Peritoneal fluid"}), result("2160-0", CREATININE, **AT_SPECIMEN)], None),
    ("creatinine", [result("2160-0", CREATININE, specimen={"display": "24 h urine"})], None),
    ("creatinine", [result("2160-0", CREATININE, specimen={"display": "Serum gel tube"})], 1.4),
    (
        "creatinine",
        [
            result(
                "2160-0",
                CREATININE,
                specimen={"reference": "#s"},
                contained=[{"resourceType": "Specimen", "id": "s", "type": {"text": "CSF"}}],
            )
        ],
        None,
    ),
    ("albumin", [specimen({"text": "Pleural fluid"}), result("1751-7", amount(3.1, "g/dL"), **AT_SPECIMEN)], None),
    (
        "creatinine",
        [
            specimen({"text": "Serum"}, subject={"reference": "Patient/other"}),
            result("2160-0", CREATININE, **AT_SPECIMEN),
        ],
        None,
    ),
    (
        "creatinine",
        [specimen({"text": "Serum"}, status="unsatisfactory"), result("2160-0", CREATININE, **AT_SPECIMEN)],
        None,
    ),
    ("hemoglobin", [result("718-7", HB, bodySite={"text": "Bone marrow"})], None),
    ("hemoglobin", [result("718-7", HB, bodySite={"text": "Left arm"})], 9.1),
    ("egfr", [result("98979-8", amount(58, "mL/min/{1.73_m2}"), method={"text": "Cockcroft-Gault"})], None),
    ("creatinine", [result("2160-0", CREATININE, method={"text": "Enzymatic, IDMS traceable"})], 1.4),
    # notes
    (
        "platelets",
        [result("777-3", amount(85, "10*9/L"), note=[{"text": "Platelet clumps seen, count unreliable."}])],
        None,
    ),
    ("platelets", [result("777-3", amount(85, "10*9/L"), note=[{"text": "No clumps seen."}])], 85),
    ("hemoglobin", [result("718-7", HB, note=[{"text": "Sample mislabelled, wrong patient."}])], None),
    ("hemoglobin", [result("718-7", HB, note=[{"text": "Checked twice."}])], 9.1),
    # a reason of absence beside a value
    ("neutrophils", [result("751-8", amount(0, "10*3/uL"), dataAbsentReason=concept("x", "not-performed"))], None),
    ("neutrophils", [result("751-8", amount(0, "10*3/uL"), dataAbsentReason={"text": "error"})], None),
    (
        "hemoglobin",
        [
            observation(
                "o1",
                {"text": "CBC"},
                component=[{"code": loinc("718-7"), "valueQuantity": HB, "dataAbsentReason": concept("x", "masked")}],
            )
        ],
        None,
    ),
    (
        "hbsag",
        [coded_result(loinc("5195-3"), SNOMED, "260385009", dataAbsentReason=concept("x", "temp-unknown"))],
        None,
    ),
    # code and words of a unit
    ("platelets", [result("777-3", {"value": 85, "unit": "10*9/L", "system": UCUM, "code": "/uL"})], None),
    ("platelets", [result("777-3", {"value": 85, "unit": "/uL", "system": UCUM, "code": "10*9/L"})], None),
    ("platelets", [result("777-3", {"value": 85, "unit": "K/uL", "system": UCUM, "code": "10*3/uL"})], 85),
    ("platelets", [result("777-3", {"value": 85, "unit": "x10(3)/mcL", "system": UCUM, "code": "10*3/uL"})], 85),
    ("platelets", [result("777-3", {"value": 85, "unit": "10*9/L", "code": "/uL"})], None),
    ("hemoglobin", [result("718-7", {"value": 10.4, "unit": "g/L", "system": UCUM, "code": "g/dL"})], None),
    ("crp", [result("1988-5", {"value": 5, "unit": "mg/dL", "system": UCUM, "code": "mg/L"})], None),
    ("creatinine", [result("2160-0", {"value": 1.4, "unit": "mmol/L", "system": UCUM, "code": "mg/dL"})], None),
    # what no unit makes plausible
    ("platelets", [result("777-3", amount(85, "/uL"))], None),
    ("platelets", [result("777-3", amount(85000, "/uL"))], 85),
    ("platelets", [result("777-3", {"valueString": "85 /uL"})], None),
    ("neutrophils", [result("751-8", amount(2.5, "/uL"))], None),
    ("neutrophils", [result("751-8", amount(80, "/uL"))], 0.08),
    ("neutrophils", [result("751-8", amount(0, "/uL"))], 0),
    ("lymphocytes", [result("731-0", amount(0.9, "/uL"))], None),
    ("hemoglobin", [result("718-7", amount(10.4, "g/L"))], None),
    ("creatinine", [result("14682-9", amount(1.1, "umol/L"))], None),
    ("albumin", [result("1751-7", amount(3.6, "g/L"))], None),
    ("lvef", [result("10230-1", amount(0.6, "%"))], None),
    # the side it is said to lie on
    (
        "hemoglobin",
        [
            result(
                "718-7",
                HB,
                interpretation=side("L"),
                referenceRange=[{"low": amount(12, "g/dL"), "high": amount(16, "g/dL")}],
            )
        ],
        9.1,
    ),
    (
        "hemoglobin",
        [
            result(
                "718-7",
                HB,
                interpretation=side("H"),
                referenceRange=[{"low": amount(12, "g/dL"), "high": amount(16, "g/dL")}],
            )
        ],
        None,
    ),
    (
        "hemoglobin",
        [
            result(
                "718-7",
                HB,
                interpretation=side("N"),
                referenceRange=[{"low": amount(12, "g/dL"), "high": amount(16, "g/dL")}],
            )
        ],
        None,
    ),
    (
        "hemoglobin",
        [
            result(
                "718-7",
                amount(13, "g/dL"),
                interpretation=side("L"),
                referenceRange=[{"low": amount(12, "g/dL"), "high": amount(16, "g/dL")}],
            )
        ],
        None,
    ),
    ("hbsag", [coded_result(loinc("5195-3"), SNOMED, "10828004", interpretation=side("NEG"))], None),
    ("hbsag", [coded_result(loinc("5195-3"), SNOMED, "10828004", interpretation=side("IND"))], None),
    ("hbsag", [coded_result(loinc("5195-3"), SNOMED, "260385009", interpretation=side("NEG"))], False),
    # codes and words of an answer
    (
        "hbsag",
        [
            coded_result(
                loinc("5195-3", "Hepatitis B virus surface Ag [Presence] in Serum"), SNOMED, "260385009", "Negative"
            )
        ],
        False,
    ),
    ("hbsag", [coded_result(loinc("5195-3", "HBsAg"), SNOMED, "10828004", "", "Negative")], None),
    ("hbsag", [coded_result(loinc("5195-3", "HBsAg"), SNOMED, "260385009", "", "Positive, confirmed")], None),
    ("hbsag", [coded_result(loinc("5195-3", "HBsAg"), SNOMED, "10828004", "", "Previously positive")], None),
    ("hbsag", [coded_result(loinc("5195-3", "HBsAg"), SNOMED, "10828004", "", "weakly reactive")], None),
    ("hbsag", [coded_result(loinc("5195-3", "Hepatitis B virus surface Ab"), SNOMED, "10828004")], None),
    ("hbsag", [coded_result(loinc("5195-3", "", "Hepatitis B core antibody"), SNOMED, "10828004")], None),
    ("hbsag", [observation("o1", loinc("5195-3"), valueString="non-reactive")], False),
]

SCORES = [
    ("ecog", [observation("o1", loinc("89247-1"), valueCodeableConcept={"text": "ECOG 1"})], 1),
    ("ecog", [observation("o1", loinc("89247-1"), valueCodeableConcept={"text": "1 or 2"})], None),
    ("iss", [coded_result(concept(NCIT, "C139007"), NCIT, "C141396", "Stage III")], None),
    (
        "ecog",
        [
            coded_result(
                loinc("89247-1"),
                LOINC,
                "LA9625-0",
                "3 - Capable of only limited selfcare; more than 50% of waking hours",
            )
        ],
        3,
    ),
    ("ecog", [coded_result(loinc("89247-1"), LOINC, "LA9626-8")], 4),
    ("ecog", [coded_result(loinc("89247-1"), LOINC, "LA9624-3", "ECOG 1")], None),
    ("ecog", [coded_result(loinc("89262-0"), SNOMED, "422512005", "ECOG performance status grade 1")], 1),
    ("ecog", [coded_result(loinc("89247-1"), LOINC, "LA9627-6", "Dead")], None),
    ("ecog", [observation("o1", loinc("89247-1", "", "Karnofsky performance status"), valueInteger=2)], None),
    ("karnofsky", [coded_result(loinc("89243-0", "Karnofsky Performance Status score"), LOINC, "LA29178-3", "70")], 70),
    ("karnofsky", [observation("o1", loinc("89243-0", "ECOG Performance Status score"), valueInteger=70)], None),
    ("iss", [coded_result(concept(NCIT, "C139007", "ISS"), NCIT, "C70659", "ISS Stage II")], 2),
    ("iss", [coded_result(concept(NCIT, "C139007", "ISS"), NCIT, "C70658", "ISS Stage I", "ISS Stage III")], None),
    ("iss", [coded_result(concept(NCIT, "C139007", "", "R-ISS"), NCIT, "C70658")], None),
    ("iss", [coded_result(concept(NCIT, "C139007", "", "Durie-Salmon stage"), NCIT, "C70658")], None),
    ("iss", [coded_result(concept(NCIT, "C139007"), NCIT, "C70658", method=concept(SNOMED, "1149163003"))], None),
    ("iss", [coded_result(concept(SNOMED, "1149162008"), "http://local.example/iss", "II", "Stage II")], 2),
    ("iss", [observation("o1", concept(NCIT, "C139007"), valueString="III")], 3),
    ("iss", [observation("o1", concept(NCIT, "C139007"), valueString="II or III")], None),
    ("iss", [observation("o1", concept(NCIT, "C139007"), valueString="Stage IIIB")], None),
    ("r_iss", [coded_result(loinc("21908-9", "Stage group.clinical Cancer"), NCIT, "C141395")], 2),
    ("r_iss", [coded_result(loinc("21908-9"), "http://local.example", "3", "R-ISS Stage III")], 3),
    (
        "iss",
        [
            coded_result(
                loinc("21908-9"), "http://local.example", "3", "Stage III", method=concept(SNOMED, "1149162008")
            )
        ],
        3,
    ),
    ("iss", [coded_result(loinc("21908-9"), "http://local.example", "3", "Stage III")], None),
    ("iss", [coded_result(loinc("21908-9"), "http://local.example", "3", "Durie-Salmon Stage III")], None),
    ("r_iss", [coded_result(loinc("21908-9"), NCIT, "C70660", "R-ISS Stage III")], None),
    ("r_iss", [coded_result(loinc("21908-9"), "http://local.example", "3", "R2-ISS Stage III")], None),
    ("iss", [condition("mm", SNOMED, "109989006", stage=[{"summary": concept(NCIT, "C70660", "ISS Stage III")}])], 3),
    (
        "iss",
        [
            condition(
                "mm",
                SNOMED,
                "109989006",
                stage=[{"summary": {"text": "Stage III"}, "type": concept(SNOMED, "1149162008")}],
            )
        ],
        3,
    ),
    ("r_iss", [condition("mm", SNOMED, "109989006", stage=[{"summary": {"text": "R-ISS II"}}])], 2),
    (
        "iss",
        [
            condition("mm", SNOMED, "109989006", stage=[{"summary": {"text": "Stage III"}}]),
            observation("o1", loinc("21908-9"), valueString="III"),
        ],
        None,
    ),
    ("iss", [condition("c", ICD10CM, "C90.30", stage=[{"summary": concept(NCIT, "C70660")}])], None),
]


def ldh(value, *ranges, unit="U/L", **more):
    return result("2532-0", amount(value, unit), referenceRange=list(ranges), **more)


def years(low=None, high=None, unit="a"):
    ends = {"low": low, "high": high}
    return {name: amount(end, unit) for name, end in ends.items() if end is not None}


HIGH = {"high": amount(250, "U/L")}
RANGES = [
    ([ldh(500, HIGH)], 2),
    ([ldh(500, {"high": {"value": 250}})], 2),
    ([ldh(500, {"text": "135-250 U/L"})], 2),
    ([ldh(500, {"text": "(<250)"})], 2),
    ([ldh(500, {"text": "< 250 U/L"})], 2),
    ([ldh(500, {"text": "up to 250 U/L"})], 2),
    ([ldh(500, {"text": "m: 135-225; f: 135-214"})], None),
    ([ldh(500, {"text": "135-250 ukat/L"})], None),
    ([ldh(500, {"text": ">250 U/L"})], None),
    ([ldh(500, {"text": "see laboratory manual"})], None),
    ([ldh(500, {"text": "[135;250]"})], 2),
    ([ldh(500, {"text": "135 .. 250 U/L"})], 2),
    ([ldh(500, {"text": "von 135 bis 250 U/L"})], 2),
    ([ldh(500, {"text": "135,5 - 250,0"})], 2),
    ([ldh(500, {"text": "135 - 1,250"})], None),
    ([ldh(500, {"text": "250-135"})], None),
    ([ldh(500, {**HIGH, "low": amount(300, "U/L")})], None),
    ([ldh(500, {**HIGH, "text": "Adults"})], 2),
    ([ldh(500, {"high": amount(700, "U/L"), "age": years(high=1), "text": "infants"})], None),
    ([ldh(500, {"high": amount(700, "U/L"), "age": years(high=12, unit="mo")})], None),
    ([ldh(500, {"high": amount(700, "U/L"), "text": "newborns"})], None),
    ([ldh(500, {**HIGH, "age": years(low=18)})], 2),
    ([ldh(500, {"high": amount(700, "U/L"), "age": years(high=1)}, {**HIGH, "age": years(low=18)})], 2),
    ([ldh(500, {"high": amount(225, "U/L"), "appliesTo": [{"text": "male"}]})], None),
    (
        [
            ldh(
                500,
                {"high": amount(225, "U/L"), "appliesTo": [{"text": "male"}]},
                {**HIGH, "appliesTo": [{"text": "female"}]},
            )
        ],
        2,
    ),
    ([ldh(500, {**HIGH, "appliesTo": [concept(SNOMED, "248152002")]})], 2),
    ([ldh(500, {**HIGH, "appliesTo": [concept(SNOMED, "77386006", "Pregnant")]})], None),
    ([ldh(500, {**HIGH, "appliesTo": [{"text": "second trimester"}]})], None),
    ([ldh(500, {**HIGH, "appliesTo": [{"text": "Clinic B"}]})], None),
    ([ldh(500, HIGH, {"high": amount(280, "U/L")})], None),
    ([ldh(500, HIGH, {"high": amount(280, "U/L"), "type": concept("x", "treatment")})], 2),
    ([ldh(500, {**HIGH, "type": concept("x", "therapeutic")})], None),
    ([ldh(500, {"high": amount(4.2, "ukat/L")})], None),
    ([ldh(500, {"high": amount(4, "U/L")})], None),
    ([ldh(500, HIGH, interpretation=side("N"))], None),
    ([ldh(500, HIGH, interpretation=side("H"))], 2),
    ([ldh(500, HIGH, interpretation=[{"text": "Above high normal"}])], 2),
    ([ldh(500, HIGH, interpretation=[{"text": "Specimen hemolyzed"}])], None),
    ([ldh(500, HIGH, interpretation=[{"text": "Result of the other tube"}])], None),
    ([ldh(500, HIGH, interpretation=side("ZZ"))], None),
    ([ldh(500, HIGH, interpretation=side("A"))], 2),
    ([ldh(500, HIGH, note=[{"text": "Sample haemolysed"}])], None),
    ([result(loinc("2532-0", "", "LDH isoenzyme 1"), amount(500, "U/L"), referenceRange=[HIGH])], None),
    ([result(loinc("2532-0", "", "Lactate"), amount(500, "U/L"), referenceRange=[HIGH])], None),
    (
        [
            result(
                loinc(
                    "14804-9",
                    "Lactate dehydrogenase [Enzymatic activity/volume] in Serum or Plasma "
                    "by Lactate to pyruvate reaction",
                ),
                amount(500, "U/L"),
                referenceRange=[HIGH],
            )
        ],
        2,
    ),
]


@for_each(("field", "resources", "expected"), [*WORDS, *BESIDE, *SCORES])
def test_a_result_counts_only_where_nothing_beside_it_says_otherwise(field, resources, expected):
    value = held(resources, field)
    assert value == (expected if expected is None or isinstance(expected, bool) else pytest.approx(expected))


@for_each(("resources", "expected"), RANGES)
def test_a_multiple_of_the_upper_limit_is_of_the_range_of_this_patient(resources, expected):
    """A woman of 68 years."""
    assert held(resources, "ldh") == (None if expected is None else pytest.approx(expected))


def hb(name, value, when, **more):
    return {**observation(name, loinc("718-7"), valueQuantity=amount(value, "g/dL"), **more), "effectiveDateTime": when}


@for_each(
    ("resources", "expected"),
    [
        # instants as instants: 23:30 in New York is 04:30 of the next day at Greenwich
        ([hb("a", 9.1, "2026-11-24T23:30:00-05:00"), hb("b", 8.0, "2026-11-25T03:00:00Z")], 9.1),
        ([hb("a", 9.1, "2026-11-24T23:30:00-05:00"), hb("b", 8.0, "2026-11-25T05:00:00Z")], 8.0),
        ([hb("a", 9.1, "2026-11-24T10:00:00+01:00"), hb("b", 8.0, "2026-11-24T09:00:00Z")], None),
        ([hb("a", 9.1, "2026-11-24"), hb("b", 8.0, "2026-11-24T09:00:00Z")], None),
        ([hb("a", 9.1, "2026-11-25"), hb("b", 8.0, "2026-11-24T23:30:00-05:00")], None),
        ([hb("a", 9.1, "2026-11-24"), hb("b", 8.0, "2026-11-24")], None),
        ([hb("a", 9.1, "2026-11-24"), hb("b", 9.1, "2026-11-24")], 9.1),
        # of one time the more final counts
        ([hb("a", 9.1, "2026-11-24", status="preliminary"), hb("b", 8.0, "2026-11-24")], 8.0),
        ([hb("a", 9.1, "2026-11-24", status="corrected"), hb("b", 8.0, "2026-11-24")], 9.1),
        ([hb("a", 9.1, "2026-11-24", status="amended"), hb("b", 8.0, "2026-11-24", status="corrected")], None),
        ([hb("a", 9.1, "2026-11-24", status="preliminary"), hb("b", 8.0, "2026-11-20")], 9.1),
        ([hb("a", 9.1, "2026-11-24", status="entered-in-error"), hb("b", 8.0, "2026-11-20")], 8.0),
    ],
)
def test_of_several_results_the_newest_and_most_final_counts(resources, expected):
    assert held(resources, "hemoglobin") == expected
