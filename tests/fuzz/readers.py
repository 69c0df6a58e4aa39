"""Everything that reads, with real inputs to start from, and the errors that are its own."""

import asyncio
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from bcma_decide.errors import BcmaDecideError
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import build, example_names, example_path, parse
from bcma_decide.patient.weights_files import read_weights, weights_template
from bcma_decide.pooled.criteria import criteria_of
from bcma_decide.service.callers.tokens import Untrusted, Verifier
from bcma_decide.service.http.problems import Refusal
from bcma_decide.service.settings import Settings
from bcma_decide.service.shared.store import Memory
from bcma_decide.spellings import iso_day, read_day, read_region, read_setting
from bcma_decide.strict.yaml import read_yaml
from tests.fuzz.changes import NASTY, VALUES, as_json, changed_json, changed_text, sentence
from tests.service.support.service import JSON, SELECT, VIEW, app, model, select, view
from tests.service.support.tokens import issuer, key, token
from tests.support.places import RECORDS, ROOT

ON = date(2026, 11, 26)
WORDS_OF_FISH = (
    "del(17p)", "deletion 17p", "17p13", "TP53", "t(4;14)", "t(14;16)", "gain(1q)", "1q21", "+1q", "amp(1q)",
    "IGH::FGFR3", "CKS1B",
    "detected", "not detected", "positive", "negative", "present", "absent", "no evidence of", "in 45 % of cells",
    "0 %", "0 of 200",
    "cut-off 10 %", "FISH", "nuc ish(TP53x1,D17Z1x2)[45/200]", "46,XY[20]", "mother", "control", "literature",
    "was", "and", "but",
    "nicht nachgewiesen", "Nachweis von", "unauffällig", "hyperdiploid", "standard", "high risk", "unknown",
)  # fmt: skip
WORDS_OF_VALUES = (
    "1", "2.1", "10,4", "1,200", "1.200,5", "<", ">=", "1-2", "between", "to", "bis", "mg/dL", "g/dl", "/nl",
    "10^9/L", "x ULN", "%",
    "mL/min", "umol/L", "never", "none", "unknown", "yes", "no", "ckd 3b", "II", "R-ISS", "VRd", "daratumumab",
    "ide-cel:14", "Tecvayli",
    "cilta-cel", "months", "anti-CD38", "1:30", "+", "±", "(<250)", "Hb", "Thrombozyten", "Kreatinin", "LDH",
    "ferritin", "CRP", "ECOG",
)  # fmt: skip
WORDS_OF_DAYS = (
    "2026",
    "11",
    "22",
    "-",
    ".",
    "/",
    "W",
    "12",
    "1",
    "123",
    "T",
    "00:00",
    "Z",
    "+14:00",
    "Nov",
    "0",
    "9999",
    "00",
)
KINDS_OF_TABLES = (
    "study,hr,lower,upper,p,level\nA,0.62,0.40,0.96,,95\nB,0.80,0.55,1.16,0.2,90 %\nC,0.71,,,0.03,\n",
    "study,events,time,x\nA,3,120.5,1\nB,0,60,2\nC,12,410,2\n",
    "study,events1,time1,events2,time2\nA,3,120,6,115\nB,0,60,2,70\nC,12,410,10,300\n",
    "study,events1,n1,events2,n2,control\nA,30,60,20,61,p\nA,18,62,20,61,p\nB,5,40,9,42,q\nC,5,44,9,41,\n",
)
TABLES = ("bcg.csv", "pritz1997.csv", "begg1989.csv", "debruin2009.csv")
SETTINGS = """\
host = "127.0.0.1"
port = 8000
public_url = "https://cds.example.org"
trusted_proxies = ["10.0.0.0/8", "::1/128"]
fhir_servers = ["https://ehr.example.org/fhir"]
time_limit = 30
[[issuers]]
issuer = "https://ehr.example.org"
audience = ["https://cds.example.org*"]
jwks_url = "https://ehr.example.org/.well-known/jwks.json"
[[smart]]
id = "hospital"
iss = "https://ehr.example.org/fhir"
client_id = "bcma-decide"
"""


@dataclass(frozen=True)
class Reader:
    """``draw`` makes an input, ``read`` reads it; ``share`` of all inputs that it gets."""

    draw: Callable
    read: Callable
    own: tuple[type[Exception], ...]
    share: int


@cache
def profiles():
    return [example_path(name).read_text(encoding="utf-8") for name in example_names()]


@cache
def plain_profiles():
    return [read_yaml(text) for text in profiles()]


@cache
def examples_of_fields():
    return [field.example for field in FIELDS.values() if field.example]


@cache
def bundles():
    """Records of the examples, also cut down to a few resources, so that a change meets what is read."""
    whole = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDS.glob("*.json"))]
    patient = [[each for each in one["entry"] if each["resource"]["resourceType"] == "Patient"][:1] for one in whole]
    return [
        one | {"entry": first + one["entry"][start : start + 4]}
        for one, first in zip(whole, patient, strict=True)
        for start in range(0, len(one["entry"]), 4)
    ]


@cache
def bundle_texts():
    return [json.dumps(each) for each in bundles()]


@cache
def tables():
    folder = ROOT / "tests/reference/metafor/inputs"
    return [*((folder / name).read_text(encoding="utf-8") for name in TABLES), *KINDS_OF_TABLES]


@cache
def folder():
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


@cache
def criteria():
    return criteria_of(model())


@cache
def service():
    return app(reading=_reader, requests_per_minute=0)


@cache
def loop():
    return asyncio.new_event_loop()


def _reader(bundle, on, *, infer=False):
    from bcma_decide.fhir.reading.reader import read_bundle

    return read_bundle(bundle, model().codes, model().definitions, on, infer=infer)


# What is drawn


def _profile_yaml(draw):
    return changed_text(draw, draw.choice(profiles()), profiles())


def _profile_json(draw):
    if draw.random() < 0.5:
        return as_json(changed_json(draw, draw.choice(plain_profiles())))
    return changed_text(draw, json.dumps(draw.choice(plain_profiles())), profiles())


def _field(draw):
    if draw.random() < 0.5:
        name = draw.choice(list(FIELDS))
        example = FIELDS[name].example or draw.choice(("yes", "no"))
        return name, changed_text(draw, example, examples_of_fields())
    words = WORDS_OF_FISH if draw.random() < 0.2 else WORDS_OF_VALUES
    value = sentence(draw, words, draw.choice((2, 3, 5))) if draw.random() < 0.8 else draw.choice(VALUES)
    return draw.choice(list(FIELDS)), value


def _bundle(draw):
    if draw.random() < 0.7:
        return as_json(changed_json(draw, draw.choice(bundles())))
    return changed_text(draw, draw.choice(bundle_texts()), bundle_texts())


def _fish(draw):
    return sentence(draw, WORDS_OF_FISH, 20)


def _call(draw):
    """A request: path, content type and body."""
    match draw.randrange(6):
        case 0 | 1:
            body = {"profile": draw.choice(plain_profiles()), "setting": "real_world", "region": "US",
            "date": "2026-11-22",
                    "explain": ["orr"], "order": True, "pair": ["teclistamab", "cilta-cel"],
                    "weights": {"criteria": []}}  # fmt: skip
            return "/comparisons", JSON["Content-Type"], as_json(changed_json(draw, body))
        case 2:
            return "/comparisons", "application/fhir+json", _bundle(draw)
        case 3:
            return VIEW, JSON["Content-Type"], as_json(changed_json(draw, view()))
        case 4:
            return SELECT, JSON["Content-Type"], as_json(changed_json(draw, select()))
        case _:
            found = {"feedback": [{"card": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "outcome": "overridden",
                                   "overrideReason": {"reason": {"code": "x"}},
                                   "outcomeTimestamp": "2026-11-22T10:00:00Z"}]}  # fmt: skip
            return f"{VIEW}/feedback", JSON["Content-Type"], as_json(changed_json(draw, found))


def _form(draw):
    """A form of the page."""
    from urllib.parse import quote

    names = [*FIELDS, "labs", "date", "region", "setting", "rows", "format", "lang", "explain", "x"]
    pairs = [(draw.choice(names), sentence(draw, WORDS_OF_VALUES, 5)) for _ in range(draw.randrange(1, 9))]
    return "&".join(f"{name}={quote(value, errors='replace')}" for name, value in pairs)


def _prefetch(draw):
    return changed_json(draw, view()["prefetch"])


def _token(draw):
    import base64

    whole = _tokens()
    if draw.random() < 0.5:
        return changed_text(draw, draw.choice(whole), whole)
    parts = [as_json(changed_json(draw, {"alg": "ES384", "kid": "ec-1", "typ": "JWT"})),
             as_json(changed_json(draw, {"iss": "https://ehr.example.org", "aud": "x", "exp": 1, "iat": 1,
             "jti": "1"}))]  # fmt: skip
    encoded = [base64.urlsafe_b64encode(each.encode("utf-8", "surrogatepass")).decode().rstrip("=") for each in parts]
    return ".".join((*encoded, draw.choice(("", "AAAA", whole[0].split(".")[2]))))


@cache
def _tokens():
    return [token(now=1_700_000_000), token(aud=["a"], exp=10**12)]


def _weights(draw):
    text = weights_template(criteria())
    chosen = {
        "criteria": [
            {"criterion": "cr_or_better", "points": [40, 60], "from": 20, "to": 80},
            {"criterion": "icans_any", "rank": 1},
        ]
    }
    return (
        as_json(changed_json(draw, chosen))
        if draw.random() < 0.5
        else changed_text(draw, text, [text, json.dumps(chosen)])
    )


def _table(draw):
    return changed_text(draw, draw.choice(tables()), tables())


def _folder(draw):
    """Files of a batch folder: names and contents."""
    ending = draw.choice((".json", ".ndjson"))
    lines = [_bundle(draw).replace("\n", " ") for _ in range(draw.randrange(1, 4))]
    return draw.choice(("a", "ü", "x\x1b[31m", "-", " ")) + ending, draw.choice(("\n", "\r\n", "\n\n")).join(lines)


def _day(draw):
    return sentence(draw, WORDS_OF_DAYS, 8).replace(" ", draw.choice(("", "", "-", " ")))


def _address(draw):
    words = ("http", "https", "://", "a.example", "127.1", "[::ffff:10.0.0.1]", "[64:ff9b::1]", "0x7f000001",
    "2130706433", ":", "8080",
             "/", "//", "..", ";", "%2e", "%252e", "\\", "fhir", "?", "#", "@", "％２ｅ", "xn--", "[", "]",
             "ⓛocalhost")  # fmt: skip
    return "".join(draw.choice(words) for _ in range(draw.randrange(1, 12))) + draw.choice(("", draw.choice(NASTY)))


def _toml(draw):
    return changed_text(draw, SETTINGS, [SETTINGS])


def _keys(draw):
    from tests.service.support.tokens import EC, RSA, key_set

    private = key(*EC).as_dict(private=True)
    return as_json(changed_json(draw, draw.choice((key_set(EC, RSA), private))))


# How it is read


def _read_profile(text, as_json):
    build(parse(text, as_json=as_json), model().definitions).model_dump_json()


def _read_field(drawn):
    build(dict([drawn]), model().definitions).model_dump_json()


def _read_bundle(text):
    from bcma_decide.cli.records import patient_from_bundle
    from bcma_decide.fhir.reading.bundle import parse_bundle

    found = patient_from_bundle(parse_bundle(text), {}, model(), ON, infer=len(text) % 2 == 0, file="x")
    found.ledger.model_dump_json()


def _read_fish(text):
    report = {"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/1"},
    "valueString": text,
              "code": {"coding": [{"system": "http://loinc.org", "code": "98014-4"}]},
              "effectiveDateTime": "2026-01-01"}  # fmt: skip
    patient = {"resourceType": "Patient", "id": "1", "birthDate": "1955-03-01"}
    entry = [{"resource": patient}, {"resource": report}]
    _reader({"resourceType": "Bundle", "type": "collection", "entry": entry}, ON).ledger.model_dump_json()


def _read_call(drawn):
    path, kind, body = drawn
    _answered("POST", path, [(b"content-type", kind.encode())], body.encode("utf-8", "surrogatepass"))


def _read_form(body):
    _answered("POST", "/", [(b"content-type", b"application/x-www-form-urlencoded")], body.encode())


def _answered(method, path, headers, body):
    status, _ = loop().run_until_complete(asyncio.wait_for(_sent(method, path, headers, body), 30))
    if status >= 500:
        raise AssertionError(f"{path}: {status}")


async def _sent(method, path, headers, body):
    from bcma_decide.service.http import access_log

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
    "path": path, "raw_path": path.encode(),
             "query_string": b"", "root_path": "", "scheme": "http", "server": ("cds.example.org", 80),
             "client": ("127.0.0.1", 40000),
             "headers": [(b"host", b"cds.example.org"), (b"content-length", str(len(body)).encode()),
             *headers]}  # fmt: skip
    answers = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        answers.append(message)

    failed = []
    place_of = access_log.place_of
    access_log.place_of = lambda error: failed.append(error) or place_of(error)  # what it logs by kind only
    try:
        await service()(scope, receive, send)
    finally:
        access_log.place_of = place_of
    if failed:
        raise failed[0]
    return answers[0]["status"], answers


def _read_prefetch(value):
    from bcma_decide.service.hooks.prefetch import prefetched_record, sent_parts

    if isinstance(value, dict):
        _reader(prefetched_record(sent_parts(value), "1", {key: key for key in sent_parts({})}).bundle, ON)


@cache
def _verifier():
    return Verifier(Settings(issuers=(issuer(folder()),)), Memory())


def _read_token(text):
    loop().run_until_complete(_verifier().verify(text, "/evidence"))


def _read_weights(text):
    file = folder() / "weights.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    read_weights(file, criteria())


def _read_table(text):
    from bcma_decide.workshop.meta_analysis.study_table import read_table
    from bcma_decide.workshop.own_table.analysis import AnalysisOptions, analyse
    from bcma_decide.workshop.own_table.document import as_document
    from bcma_decide.workshop.own_table.fitting import fitting
    from bcma_decide.workshop.own_table.reading import read_studies
    from bcma_decide.workshop.synthesis.model import PoolingMethod, usual_model

    file = folder() / "table.csv"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    table = read_table(file)
    studies = read_studies(table, fitting(table))
    method, why = usual_model(studies, "z")
    options = AnalysisOptions(PoolingMethod(method, why=why), diagnostics=False)
    json.dumps(as_document(analyse(table, studies, options)), allow_nan=False)


def _read_folder(drawn):
    from bcma_decide.cli.records import patient_from_bundle
    from bcma_decide.cli.tasks import read_bundle_of, tasks_of

    name, text = drawn
    place = Path(tempfile.mkdtemp(dir=folder()))
    file = place / name
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        for task in tasks_of(place, fhir=True):
            try:
                patient_from_bundle(read_bundle_of(task), {}, model(), ON, infer=False, file=task.place)
            except BcmaDecideError as error:
                str(error)
    finally:
        file.unlink()
        place.rmdir()


def _read_day(text):
    from bcma_decide.fhir.reading.dates import read_when

    read_when(text)
    for read in (iso_day, read_day, read_setting, lambda given: read_region(given, ["US", "EU"])):
        try:
            read(text)
        except (ValueError, BcmaDecideError) as error:
            str(error)


def _read_address(text):
    from bcma_decide.service.fetching.addresses import is_below, may_connect, read_address, read_base

    base, url = read_base("https://a.example/fhir"), read_address(text)
    assert url is None or not is_below(base, url) or url.host == "a.example"
    assert not may_connect(text, ()) or text.strip("0123456789abcdef.:") == ""


def _read_toml(text):
    from bcma_decide.service.settings import read_settings

    file = folder() / "service.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    read_settings(file)


def _read_keys(text):
    from bcma_decide.service.callers.key_sets import FileKeys
    from bcma_decide.service.smart.client_key import read_client_key

    file = folder() / "keys-drawn.json"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    for read in (FileKeys, read_client_key):
        try:
            read(file)
        except BcmaDecideError as error:
            str(error)


READERS = {
    "field": Reader(_field, _read_field, (BcmaDecideError,), 20),
    "days": Reader(_day, _read_day, (), 15),
    "FISH text": Reader(_fish, _read_fish, (BcmaDecideError,), 10),
    "laboratory list": Reader(
        lambda d: ("labs", sentence(d, WORDS_OF_VALUES, 40)), _read_field, (BcmaDecideError,), 10
    ),
    "profile YAML": Reader(_profile_yaml, lambda text: _read_profile(text, False), (BcmaDecideError,), 8),
    "profile JSON": Reader(_profile_json, lambda text: _read_profile(text, True), (BcmaDecideError,), 8),
    "FHIR bundle": Reader(_bundle, _read_bundle, (BcmaDecideError,), 10),
    "prefetch": Reader(_prefetch, _read_prefetch, (BcmaDecideError, Refusal), 4),
    "batch folder": Reader(_folder, _read_folder, (), 2),
    "requests": Reader(_call, _read_call, (), 3),
    "page form": Reader(_form, _read_form, (), 1),
    "tokens": Reader(_token, _read_token, (Untrusted,), 5),
    "weights": Reader(_weights, _read_weights, (BcmaDecideError,), 3),
    "own table": Reader(_table, _read_table, (BcmaDecideError,), 2),
    "addresses": Reader(_address, _read_address, (), 5),
    "settings": Reader(_toml, _read_toml, (BcmaDecideError,), 1),
    "keys": Reader(_keys, _read_keys, (), 1),
}
