"""Reports of imaging on disease outside the marrow: the rule for clauses, and what kind of imaging it is."""

from tests.fhir.reading.support.reading import lines, read
from tests.fhir.reading.support.records import observation
from tests.support.cases import for_each

PET = {"text": "PET/CT whole body"}


def report(text, *, code=PET, days=20, **more):
    made = observation("i", code, days=days, conclusion=text, **more)
    return made | {"resourceType": "DiagnosticReport"}


@for_each(
    ("text", "expected"),
    [
        ("Extramedullary disease: present", True),
        ("Extramedullary disease present.", True),
        ("Extramedullary plasmacytoma detected", True),
        ("PET/CT shows extramedullary lesions", True),
        ("Extramedullärer Befall nachgewiesen", True),
        ("Extramedulläre Manifestationen nachweisbar", True),
        ("No extramedullary disease.", False),
        ("No evidence of extramedullary disease", False),
        ("Extramedullary disease: absent", False),
        ("Extramedullary disease (EMD): not detected", False),
        ("Kein Hinweis auf extramedullären Befall", False),
        ("Keine extramedullären Herde nachweisbar", False),
        ("Impression: Extramedullary disease is present in the liver.", True),
        ("New extramedullary lesions in the liver, left kidney and lymph nodes detected", True),
        ("Extramedulläre Herde in der Leber nachgewiesen.", True),
        ("No extramedullary disease in the liver or spleen", None),
        ("No hepatic extramedullary disease", None),
        ("No FDG-avid extramedullary lesions", None),
        ("Extramedullary disease negative in the spleen", None),
        ("Extramedullary plasmacytoma in the liver, biopsy-proven", None),
        ("No new extramedullary disease", None),
        ("No longer extramedullary disease", None),
        ("Known extramedullary disease, resolved", None),
        ("Prior extramedullary disease present", None),
        ("Extramedullary disease cannot be excluded", None),
        ("Possible extramedullary disease", None),
        ("Extramedullary disease: ?", None),
        ("Question: extramedullary disease present", None),
        ("Indication: extramedullary disease", None),
        ("Rule out extramedullary disease", None),
        ("Paraskeletal plasmacytoma detected", None),
        ("Paramedullary disease present", None),
        ("Extramedullary disease present. Paraskeletal mass of the ninth rib.", None),
        ("Soft-tissue plasmacytoma present", None),
        ("Extramedullary haematopoiesis detected", None),
        ("Extramedullary disease present in the donor", None),
        ("No extramedullary disease. Extramedullary lesion of the liver, see below.", None),
        ("Compared with 2024 no extramedullary disease", None),
        ("Kein extramedullärer Befall mehr nachweisbar", None),
        ("Verdacht auf extramedullären Befall", None),
        ("Z. n. extramedullärem Plasmozytom", None),
    ],
)
def test_a_plain_clause_of_a_report_of_imaging_is_read(text, expected):
    reading = read(report(text))
    told = [(line.text, line.state, line.note) for line in lines(reading, "extramedullary_disease")]
    assert reading.patient.extramedullary_disease is expected, told
    assert {state for _, state, _ in told} == ({"used"} if expected is not None else {"not_usable"})


@for_each(
    ("name", "positive", "negative"),
    [
        ("PET/CT", True, True),
        ("FDG-PET/CT skull base to mid thigh", True, True),
        ("Whole-body MRI", True, True),
        ("Ganzkörper-MRT", True, True),
        ("CT chest", True, False),
        ("MRI lumbar spine", True, False),
        ("MRT Wirbelsäule", True, False),
        ("Discharge letter", False, False),
        ("PET/CT of the donor", False, False),
    ],
)
def test_which_reports_are_of_imaging_and_which_see_the_whole_body(name, positive, negative):
    for text, used, value in (
        ("Extramedullary disease present", positive, True),
        ("No extramedullary disease", negative, False),
    ):
        reading = read(report(text, code={"text": name}))
        assert reading.patient.extramedullary_disease is (value if used else None)
        assert lines(reading, "extramedullary_disease")


def test_imaging_is_used_for_as_long_as_its_field_says():
    assert read(report("Extramedullary disease present", days=180)).patient.extramedullary_disease is True
    old = read(report("Extramedullary disease present", days=181))
    assert old.patient.extramedullary_disease is None
    assert [line.state for line in lines(old, "extramedullary_disease")] == ["stale"]
