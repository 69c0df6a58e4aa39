"""How the tests use the page: a form as a browser sends it, and what stands on the page that comes back."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from bcma_decide.comparison import InputLine, RecordLedger, UnmappedLine
from bcma_decide.service import sessions
from bcma_decide.service.app import create_app
from bcma_decide.service.settings import Settings
from bcma_decide.service.shared.store import Memory
from tests.service.support.service import TODAY, ask, model
from tests.support import parsed_once

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BOUNDARY = "page-of-a-test"
COOKIE = {"Cookie": "session=open"}
HERE = {"Sec-Fetch-Site": "same-origin"}


def send(service, entries=(), path="/", *, headers=None, **more):
    """POST a form; entries whose names hold a point are pairs."""
    pairs = [*(entries.items() if isinstance(entries, dict) else entries), *more.items()]
    return ask(service, "POST", path, content=urlencode(pairs), headers=FORM | (headers or {}))


def upload(service, content, name="profile.yaml", path="/page/open", *, headers=None):
    """POST a file as a browser does."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="profile"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return ask(service, "POST", path, content=body, headers=kind | (headers or {}))


def parsed(answer):
    return parsed_once.page(answer.text)


def text_of(answer, selector="main"):
    """What is read there, in one line."""
    words = " ".join(" ".join(each.to_text() for each in parsed(answer).query(selector)).split())
    return words.replace(" :", ":").replace(" ,", ",")


def entries_of(answer):
    """The form as a browser would send it back untouched: pairs of names and values."""
    found = []
    form = answer.text[answer.text.index('<form id="p-form"') :].partition("</form>")[0]
    for control in parsed_once.page(form).query("input, select, textarea"):
        given = control.attrs
        name, kind = given.get("name"), given.get("type", "text")
        if not name or (kind in ("radio", "checkbox") and "checked" not in given):
            continue
        if control.name == "select":
            chosen = [o.attrs.get("value", "") for o in control.query("option") if "selected" in o.attrs]
            assert len(chosen) == 1, name
            found.append((name, chosen[0]))
        elif control.name == "textarea":
            found.append((name, control.to_text().strip()))
        else:
            found.append((name, given.get("value") or ""))
    return found


@dataclass(frozen=True)
class Filled:
    """What a record gave."""

    values: dict
    ledger: RecordLedger = field(default_factory=lambda: RecordLedger(date=TODAY))
    not_read: tuple = ()
    banner: str = ""


RECORD = Filled(
    values={"age": "71", "creatinine": "1.4 mg/dL", "received": ["lenalidomide", "bortezomib"], "frail": "no"},
    ledger=RecordLedger(
        inputs=(
            InputLine(field="age", label="Age", text="71 years", state="used", date="1955-03-01", resource="Patient"),
            InputLine(
                field="creatinine", label="Creatinine", text="1.4 mg/dL", state="used", date="2026-11-20", age_days=6
            ),
            InputLine(field="ferritin", label="Ferritin", text="900", state="not_usable", note="has no unit"),
        ),
        unmapped=(UnmappedLine(kind="drug", text="Zebedee-mab"),),
        date=TODAY,
    ),
    not_read=("procedures: the server refused",),
    banner="Record of Ms Zebedee, born 1 March 1955",
)


class Sessions(sessions.Sessions):
    """One session that does not end, for who brings its cookie."""

    def __init__(self, filled=RECORD):
        super().__init__(Memory())
        self.filled = filled

    async def find(self, cookies):
        return self.filled if cookies.get("session") == "open" else None


def with_sessions(**settings):
    return create_app(Settings(**settings), model(), sessions=Sessions(), today=lambda: TODAY)
