"""How records of different make say the same thing: one trait in the style of an implementation guide or code system.

Each form is a way that the guide's examples, value sets or public records write the trait; codes stand here by hand,
apart from evidence/codes. None where a style has no way to say it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tests.fhir.reading.support.records import (
    HGNC,
    ICD10CM,
    ICD10PCS,
    LOINC,
    NCIT,
    NDC,
    ON,
    RXNORM,
    SNOMED,
    coded,
    condition,
    given,
    months_before,
    observation,
    quantity,
)

STYLES = ("mCODE", "US Core", "plain SNOMED", "ICD-10", "German core data set", "text")
ICD10GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD10WHO = "http://hl7.org/fhir/sid/icd-10"
ATC_DE = "http://fhir.de/CodeSystem/bfarm/atc"
PZN = "http://fhir.de/CodeSystem/ifa/pzn"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
KBV = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_DIAGNOSESICHERHEIT"
PRESENT, ABSENT = coded(LOINC, "LA9633-4", "Present"), coded(LOINC, "LA9634-2", "Absent")
SNOMED_YES, SNOMED_NO = coded(SNOMED, "260373001", "Detected"), coded(SNOMED, "260415000", "Not detected")

ISCN = {
    "del_17p": "del(17)(p13)", "t_4_14": "t(4;14)(p16;q32)", "t_14_16": "t(14;16)(q32;q23)",
    "gain_1q": "dup(1)(q21q32)",
}  # fmt: skip
CHANGE = {"del_17p": "del(17p)", "t_4_14": "t(4;14)", "t_14_16": "t(14;16)", "gain_1q": "gain 1q"}
GENES = {
    "del_17p": [("11998", "TP53")],
    "t_4_14": [("5477", "IGH"), ("12766", "NSD2")],
    "t_14_16": [("5477", "IGH"), ("6776", "MAF")],
    "gain_1q": [("19083", "CKS1B")],
}
COPIES = {"del_17p": 1, "gain_1q": 3}
LABS = {
    # field: code, English and German name, US unit and its factor from the profile's unit, SI unit and its factor
    "hemoglobin": ("718-7", "Hemoglobin", "Hämoglobin", ("g/dL", 1), ("g/L", 10)),
    "platelets": ("777-3", "Platelets", "Thrombozyten", ("10*3/uL", 1), ("10*9/L", 1)),
    "creatinine": ("2160-0", "Creatinine", "Kreatinin", ("mg/dL", 1), ("mg/dL", 1)),
    "ferritin": ("2276-4", "Ferritin", "Ferritin", ("ng/mL", 1), ("ug/L", 1)),
    "crp": ("1988-5", "C reactive protein", "C-reaktives Protein", ("mg/L", 10), ("mg/L", 10)),
    "neutrophils": ("751-8", "Neutrophils", "Neutrophile", ("10*3/uL", 1), ("10*9/L", 1)),
    "weight": ("29463-7", "Body weight", "Körpergewicht", ("kg", 1), ("kg", 1)),
    "egfr": ("98979-8", "eGFR CKD-EPI 2021", "eGFR", ("mL/min/{1.73_m2}", 1), ("mL/min/{1.73_m2}", 1)),
}


@dataclass
class Draw:
    """Where a form draws what may vary: words, numbers, names of resources."""

    random: Random
    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"r{self.count}"

    def one(self, *choices):
        return self.random.choice(choices)


Form = Callable[[Draw, object], list[dict]]


def shown(system, code, display):
    return {"coding": [{"system": system, "code": code, "display": display}]}


def report(name, text, concept, *, days=300, **more):
    day = (ON - timedelta(days=days)).isoformat()
    return {"resourceType": "DiagnosticReport", "id": name, "status": "final", "code": concept,
            "subject": {"reference": "Patient/example"}, "effectiveDateTime": day, "conclusion": text,
            **more}  # fmt: skip


FISH = shown(LOINC, "98014-4", "Multiple myeloma FISH panel")
ENGLISH = {
    True: ["{c} detected", "{c}: detected", "{c} detected in {p}% of nuclei", "Positive for {c}.",
           "{c} positive ({p} %)",
           "{c} detected in {p}% of nuclei (cut-off {q}%)", "{c} identified in {n}/200 nuclei",
           "{c} present in {p}% of cells"],
    False: ["{c} not detected", "{c}: not detected", "No evidence of {c}.", "Negative for {c}.", "{c}: negative",
            "{c} absent", "{c} was not detected", "No {c} detected", "{c}: absent"],
}  # fmt: skip
GERMAN = {True: ["{c}: nachgewiesen", "{c} nachgewiesen"], False: ["{c}: nicht nachgewiesen", "{c} nicht nachgewiesen"]}


def sentence(draw, change, value, words=ENGLISH):
    text = draw.random.choice(words[value])
    p = draw.random.randint(25, 90)
    return text.format(c=CHANGE[change], p=p, q=draw.one(5, 8, 10), n=2 * p)


def _variant(change):
    def form(draw, value):
        def part(code, **answer):
            return {"code": coded(LOINC, code), **answer}

        genes = [part("48018-6", valueCodeableConcept=shown(HGNC, f"HGNC:{n}", name)) for n, name in GENES[change]]
        more = genes
        if not value:
            more = [part("81291-7", valueCodeableConcept={"text": ISCN[change]})]
        elif change in COPIES:
            more = [*genes, part("82155-3", valueQuantity=quantity(COPIES[change], "1"))]
        answer = PRESENT if value else ABSENT
        concept = shown(LOINC, "69548-6", "Genetic variant assessment")
        return [observation(draw.name(), concept, days=300, valueCodeableConcept=answer, component=more)]

    return form


def _fish_report(change):
    def form(draw, value):
        text = sentence(draw, change, value)
        if draw.one(True, False):
            return [report(draw.name(), text, FISH)]
        return [observation(draw.name(), FISH, days=300, valueString=text)]

    return form


def _fish_component(change):
    def form(draw, value):
        answer = SNOMED_YES if value else SNOMED_NO
        part = {"code": {"text": CHANGE[change]}, "valueCodeableConcept": answer}
        return [observation(draw.name(), FISH, days=300, component=[part])]

    return form


def _fish_german(change):
    def form(draw, value):
        return [report(draw.name(), sentence(draw, change, value, GERMAN), FISH)]

    return form


def _fish_local(change):
    def form(draw, value):
        return [report(draw.name(), sentence(draw, change, value), {"text": "FISH, plasma cells"})]

    return form


def _lab(name):
    code, english, german, us, si = LABS[name]

    def coded_lab(draw, value, unit, display, **more):
        number = float(f"{value * unit[1]:.12g}")
        concept = shown(LOINC, code, display)
        return [observation(draw.name(), concept, valueQuantity=quantity(number, unit[0]), **more)]

    def german_lab(draw, value):
        when = f"{(ON - timedelta(days=3)).isoformat()}T07:30:00+01:00"
        return [each | {"effectiveDateTime": when} for each in coded_lab(draw, value, si, german)]

    def named(draw, value):
        return [observation(draw.name(), {"text": english}, valueQuantity=quantity(value * us[1], us[0]))]

    def us_lab(draw, value):
        return coded_lab(draw, value, us, english)

    return dict(zip(STYLES, (us_lab, us_lab, us_lab, us_lab, german_lab, named), strict=True))


def _hbsag():
    def snomed(draw, value):
        answer = shown(SNOMED, "10828004", "Positive") if value else shown(SNOMED, "260385009", "Negative")
        return [observation(draw.name(), coded(LOINC, "5195-3"), days=30, valueCodeableConcept=answer)]

    def loinc(draw, value):
        answer = shown(LOINC, "LA6576-8", "Positive") if value else shown(LOINC, "LA6577-6", "Negative")
        return [observation(draw.name(), coded(LOINC, "5195-3"), days=30, valueCodeableConcept=answer)]

    def german(draw, value):
        answer = {"text": "positiv" if value else "negativ"}
        return [observation(draw.name(), coded(LOINC, "5196-1"), days=30, valueCodeableConcept=answer)]

    def text(draw, value):
        return [
            observation(
                draw.name(), coded(LOINC, "5195-3"), days=30, valueString="Reactive" if value else "Non-reactive"
            )
        ]

    return dict(zip(STYLES, (snomed, loinc, snomed, None, german, text), strict=True))


def _ldh():
    def measured(draw, value, reference, **more):
        number = quantity(round(value * 225, 6), "U/L")
        return [
            observation(draw.name(), coded(LOINC, "2532-0"), valueQuantity=number, referenceRange=[reference], **more)
        ]

    def bounds(draw, value):
        return measured(draw, value, {"low": quantity(135, "U/L"), "high": quantity(225, "U/L")})

    def text(draw, value):
        return measured(draw, value, {"text": draw.one("135-225", "(135-225)", "135 - 225 U/L", "< 225")})

    return dict(zip(STYLES, (bounds, bounds, None, None, bounds, text), strict=True))


def _stage(code, answers, name):
    roman = ("I", "II", "III")

    def mcode(draw, value):
        answer = coded(NCIT, answers[value - 1])
        return [observation(draw.name(), coded(NCIT, code), days=400, valueCodeableConcept=answer)]

    def group(draw, value):
        answer = {"text": f"{name} Stage {roman[value - 1]}"}
        concept = shown(LOINC, "21908-9", "Stage group.clinical Cancer")
        return [observation(draw.name(), concept, days=400, valueCodeableConcept=answer)]

    def german(draw, value):
        answer = {"coding": [{"code": roman[value - 1]}]}
        return [observation(draw.name(), {"text": name}, days=400, valueCodeableConcept=answer)]

    def stage(draw, value):
        summary = {"summary": {"text": f"{name} {roman[value - 1]}"}}
        return [condition(draw.name(), ICD10CM, "C90.00", stage=[summary])]

    return dict(zip(STYLES, (mcode, group, None, None, german, stage), strict=True))


def _ecog():
    def mcode(draw, value):
        return [observation(draw.name(), coded(LOINC, "89247-1"), valueInteger=value)]

    def us_core(draw, value):
        code = ("LA9622-7", "LA9623-5", "LA9624-3", "LA9625-0", "LA9626-8")[value]
        return [observation(draw.name(), coded(LOINC, "89247-1"), valueCodeableConcept=coded(LOINC, code))]

    def german(draw, value):
        part = {"code": coded(SNOMED, "423740007"), "valueCodeableConcept": {"coding": [{"code": str(value)}]}}
        return [observation(draw.name(), coded(SNOMED, "423690003"), component=[part])]

    def text(draw, value):
        return [observation(draw.name(), {"text": "ECOG performance status"}, valueString=str(value))]

    return dict(zip(STYLES, (mcode, us_core, None, None, german, text), strict=True))


def _diagnosis(cm, who, snomed, words, **more):
    active = {"clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"), **more}
    confirmed = {"verificationStatus": coded("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed")}

    def by(system, code):
        return lambda draw, value: [condition(draw.name(), system, code, **active, **confirmed)]

    def german(draw, value):
        certain = {"url": CERTAINTY, "valueCoding": {"system": KBV, "code": "G"}}
        (made,) = by(ICD10GM, cm)(draw, value)
        made["code"]["coding"][0]["extension"] = [certain]
        return [made]

    def text(draw, value):
        (made,) = by(ICD10CM, cm)(draw, value)
        return [made | {"code": {"text": words}}]

    plain = by(SNOMED, snomed) if snomed else None
    return dict(zip(STYLES, (by(ICD10CM, cm), by(ICD10CM, cm), plain, by(ICD10WHO, who), german, text), strict=True))


@dataclass(frozen=True)
class Product:
    """A drug as records of each make name it."""

    drug: str
    course: str
    rxnorm: str
    ndc: str
    atc: str
    german: str
    text: tuple[str, ...]
    procedure: tuple[str, str] | None = None


PRODUCTS = (
    Product("teclistamab", "bispecific", "2619432", "57894-449-01", "L01FX24", "TECVAYLI 10 mg/ml Injektionslösung",
            ("Teclistamab 153 mg/1.7 mL injection SC", "1.7 ML teclistamab 90 MG/ML Injection",
             "teclistamab-cqyv 1.5 mg/kg SC", "Tecvayli 90 mg/mL solution for injection")),
    Product("elranatamab", "bispecific", "", "0069-4494-02", "L01FX32", "ELREXFIO 40 mg/ml Injektionslösung",
            ("Elranatamab 76 mg SC", "1.9 ML elranatamab-bcmm 40 MG/ML Injection", "Elrexfio 44 mg/1.1 mL")),
    Product("ciltacabtagene autoleucel", "car_t", "2594780", "57894-111-01", "L01XL05", "CARVYKTI Infusionsdispersion",
            ("Carvykti suspension for infusion", "ciltacabtagene autoleucel IV infusion", "cilta-cel infusion"),
            (ICD10PCS, "XW033A7")),
    Product("idecabtagene vicleucel", "car_t", "", "59572-515-01", "L01XL07", "ABECMA Infusionsdispersion",
            ("Abecma cell suspension, IV", "Idecabtagene vicleucel infusion", "ide-cel infusion"), (HCPCS, "Q2055")),
    Product("belantamab mafodotin", "adc", "2725585", "0173-0913-01", "L01FX15", "BLENREP 100 mg Pulver",
            ("BLENREP 100 mg powder for concentrate for solution for infusion",
             "belantamab mafodotin-blmf 100 MG Injection",
             "belantamab mafodotin 2.5 mg/kg IV every 3 weeks")),
)  # fmt: skip


def product_form(style: str, product: Product) -> Form | None:
    """How a style writes that a product was given so many months ago."""

    def dose(draw, months, concept, kind="MedicationAdministration"):
        return given(draw.name(), concept, kind=kind, day=months_before(months).isoformat())

    def rxnorm(draw, months):
        return [dose(draw, months, coded(RXNORM, product.rxnorm))]

    def ndc(draw, months):
        return [dose(draw, months, shown(NDC, product.ndc, product.drug))]

    def procedure(draw, months):
        return [dose(draw, months, coded(*product.procedure), "Procedure")]

    def german(draw, months):
        name = draw.name()
        concept = {
            "coding": [
                {"system": ATC_DE, "code": product.atc, "display": product.drug.capitalize()},
                {"system": PZN, "code": "00000000"},
            ],
            "text": product.german,
        }  # fmt: skip
        made = dose(draw, months, {})
        del made["medicationCodeableConcept"]
        made["medicationReference"] = {"reference": f"Medication/{name}"}
        return [{"resourceType": "Medication", "id": name, "code": concept}, made]

    def text(draw, months):
        return [dose(draw, months, {"text": draw.one(*product.text)})]

    by = {"mCODE": rxnorm if product.rxnorm else ndc, "US Core": procedure if product.procedure else ndc,
          "ICD-10": procedure if product.procedure and product.procedure[0] == ICD10PCS else None,
          "German core data set": german, "text": text}  # fmt: skip
    return by.get(style)


def _given_drug(style):
    def rxnorm(draw, value):
        return [given(draw.name(), coded(RXNORM, "342369", "lenalidomide"))]

    def snomed(draw, value):
        return [given(draw.name(), coded(SNOMED, "376255008", "Thalidomide product"))]

    def german(draw, value):
        return [given(draw.name(), shown(ATC_DE, "L01FC02", "Isatuximab"))]

    def text(draw, value):
        return [given(draw.name(), {"text": draw.one("lenalidomide 25 mg capsule PO daily", "Revlimid 10 mg capsule")})]

    return {
        "mCODE": rxnorm,
        "US Core": rxnorm,
        "plain SNOMED": snomed,
        "German core data set": german,
        "text": text,
    }.get(style)


def _product(product):
    return {style: product_form(style, product) for style in STYLES}


def _by_style(make):
    return {style: make(style) for style in STYLES}


def _cytogenetics(change):
    makes = (_variant, _fish_report, _fish_component, None, _fish_german, _fish_local)
    return {style: make(change) if make else None for style, make in zip(STYLES, makes, strict=True)}


@dataclass(frozen=True)
class Trait:
    """One line of the guide's table: the field, a value to try it with, and a form for each style."""

    label: str
    field: str
    value: object
    forms: dict[str, Form | None]
    course: str = ""

    def resources(self, style, draw, value=None):
        form = self.forms.get(style)
        return form(draw, self.value if value is None else value) if form else None


PLASMA_CELL_LEUKEMIA = _diagnosis("C90.10", "C90.1", "95210003", "Plasma cell leukemia")
EXTRAMEDULLARY = _diagnosis("C90.20", "C90.2", None, "Extramedullary plasmacytoma")
MEASURED = {
    "hemoglobin": 9.1, "platelets": 85, "neutrophils": 2.1, "creatinine": 1.4, "egfr": 42, "ferritin": 640, "crp": 4.1,
    "weight": 72,
}  # fmt: skip
MYELOMA = _diagnosis("C90.00", "C90.0", "109989006", "Multiple myeloma")
TRAITS = (
    Trait("multiple myeloma", "myeloma", True, MYELOMA),
    *(Trait(CHANGE[change], change, True, _cytogenetics(change)) for change in CHANGE),
    Trait("plasma cell leukaemia", "plasma_cell_leukemia", True, PLASMA_CELL_LEUKEMIA),
    Trait("extramedullary disease", "extramedullary_disease", True, EXTRAMEDULLARY),
    Trait("ISS", "iss", 2, _stage("C139007", ["C70658", "C70659", "C70660"], "ISS")),
    Trait("R-ISS", "r_iss", 3, _stage("C141392", ["C141394", "C141395", "C141396"], "R-ISS")),
    Trait("ECOG", "ecog", 3, _ecog()),
    *(Trait(LABS[name][1], name, value, _lab(name)) for name, value in
      MEASURED.items()),
    Trait("LDH over its upper limit", "ldh", 2.0, _ldh()),
    Trait("HBsAg", "hbsag", True, _hbsag()),
    Trait("drug given", "received", None, _by_style(_given_drug)),
    Trait("BCMA CAR-T given", "prior_bcma_courses", 14, _product(PRODUCTS[2]), "car_t"),
    Trait("BCMA bispecific given", "prior_bcma_courses", 14, _product(PRODUCTS[0]), "bispecific"),
    Trait("BCMA antibody-drug conjugate given", "prior_bcma_courses", 14, _product(PRODUCTS[4]), "adc"),
)  # fmt: skip


def trait(field_name: str) -> Trait:
    return next(each for each in TRAITS if each.field == field_name)
