"""How the tests call the service: in this process, through every layer; and a record with a reader for CDS Hooks."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache

import httpx

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.comparison import RecordLedger, UnmappedLine
from bcma_decide.patient.profile import Patient
from bcma_decide.service.app import create_app
from bcma_decide.service.fetching.guarded_transport import resolve
from bcma_decide.service.settings import Settings

TODAY = date(2026, 11, 26)
BASE = "http://cds.example.org"
VIEW = "/cds-services/bcma-decide-patient-view"
SELECT = "/cds-services/bcma-decide-order-select"
SIGN = "/cds-services/bcma-decide-order-sign"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
JSON = {"Content-Type": "application/json"}


@cache
def model():
    return load_pooled()


@dataclass(frozen=True)
class Read:
    patient: Patient
    has_myeloma: bool | None
    ledger: RecordLedger


def reader(bundle, on, *, infer=False):
    """A reader of the smallest kind: the disease by its words, age by the birthday, displays that it does not know."""
    values, has, unmapped = {}, None, []
    for resource in (entry["resource"] for entry in bundle["entry"]):
        text = resource.get("code", {}).get("text", "")
        if resource["resourceType"] == "Patient" and "birthDate" in resource:
            values["age"] = on.year - int(resource["birthDate"][:4])
        elif resource["resourceType"] == "Condition":
            has = has or text == "Multiple myeloma"
        elif text in ("extramedullary_disease", "active_infection", "prior_lines", "naive_to"):
            values[text] = resource["value"]
        else:
            unmapped.append(UnmappedLine(kind="observation", text=text))
    return Read(Patient.read(values, model().definitions), has, RecordLedger(unmapped=tuple(unmapped), date=on))


def app(*, reading=reader, sessions=None, store=None, transport=None, resolve=resolve, **settings):
    return create_app(
        Settings(**settings), model(), reader=reading, sessions=sessions, store=store, today=lambda: TODAY,
        transport=transport, resolve=resolve,
    )  # fmt: skip


@asynccontextmanager
async def client(application, address="127.0.0.1"):
    transport = httpx.ASGITransport(application, client=(address, 40000))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as found:
        yield found


def ask(application, method, path, *, address="127.0.0.1", **options):
    """One request and its answer."""

    async def asking():
        async with client(application, address) as found:
            return await found.request(method, path, **options)

    return run(asking)


def run(function):
    """What a coroutine gives, in a thread of its own: a browser test before it may have left a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(function())).result()


def post(application, path, body, *, headers=None, **options):
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return ask(application, "POST", path, content=content, headers=JSON | (headers or {}), **options)


def bundle(*resources, **parts):
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources], **parts}


def resource(kind, text, patient="1", **parts):
    return {"resourceType": kind, "subject": {"reference": f"Patient/{patient}"}, "code": {"text": text}, **parts}


PATIENT = {"resourceType": "Patient", "id": "1", "birthDate": "1955-03-01"}
MYELOMA = bundle(resource("Condition", "Multiple myeloma"))
NONE = bundle()
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


def prefetch(**changes):
    """Everything that is asked for; a key set to ... is left out."""
    whole = {
        "patient": PATIENT,
        "conditions": MYELOMA,
        "observations": bundle(resource("Observation", "prior_lines", value=4)),
        "diagnosticReports": NONE,
        "medicationRequests": NONE,
        "medicationAdministrations": NONE,
        "medicationStatements": NONE,
        "medicationDispenses": NONE,
        "procedures": None,
    } | changes
    return {key: value for key, value in whole.items() if value is not ...}


def view(**changes):
    """The call of the first service."""
    return {
        "hook": "patient-view",
        "hookInstance": INSTANCE,
        "context": {"userId": "Practitioner/7", "patientId": "1"},
        "prefetch": prefetch(),
    } | changes


def select(name="Tecvayli 10 mg/mL", selections=("MedicationRequest/a",), **changes):
    """The call of the second service, with one order."""
    order = {"resourceType": "MedicationRequest", "id": "a", "medicationCodeableConcept": {"text": name}}
    context = {"userId": "Practitioner/7", "patientId": "1", "selections": [*selections], "draftOrders": bundle(order)}
    return view(hook="order-select", context=context) | changes


def written(folder, text):
    file = folder / "service.toml"
    file.write_text(text, encoding="utf-8")
    return file
