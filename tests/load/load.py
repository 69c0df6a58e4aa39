"""Load on the real service, made by wrk over loopback, and the memory of all its processes before and after.

wrk keeps so many connections open and sends the next request on each when the last is answered (a closed loop): times
are those a client waits. It takes a part of the same cores, which counts against the service; what the processes of the
service take themselves is told as CPU time, which other programs on the machine disturb less.
"""

import contextlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from bcma_decide.patient.files import example_names, example_path, read_values
from tests.service.support.calls import call
from tests.service.support.running import running
from tests.service.support.service import VIEW
from tests.service.support.tokens import issuer, token
from tests.support.different_patients import different_patients
from tests.support.places import RECORDS

SCRIPT = Path(__file__).with_name("post.lua")
PATHS = {"comparisons": "/comparisons", "again": "/comparisons", "cards": VIEW}
"""What is asked for: comparisons of patients who are all different, of the same few again, and cards of records."""
MOST_A_SECOND = 600
"""Tokens made for a second of signed requests: more than it answers."""


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    workers: int = 2
    seconds: float = 10.0
    kinds: tuple[str, ...] = ("comparisons", "again", "cards")
    at_once: tuple[int, ...] = (1, 8, 32)
    audits: tuple[bool, ...] = (False, True)
    signed: bool = False
    """Whether cards are asked for with a token each, as an EHR does."""
    flat: int = 0
    """Requests over which memory is watched after all else; 0 for none."""


@dataclass
class Run:
    """One run: what was asked, and wrk's figures; times in milliseconds, memory in MB of all processes."""

    kind: str
    audit: bool
    at_once: int
    a_second: float
    p50: float
    p90: float
    p99: float
    longest: float
    requests: int
    refused: int
    broken: int
    kilobytes: float
    """Of an answer, head included."""
    cpu: float
    """Milliseconds of CPU time of all processes for an answer."""
    shares: list[float]
    """What part of it each process took, the largest first."""
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)


def missing():
    return "" if shutil.which("wrk") else "wrk is not installed: apt-get install wrk"


def measured(plan, say=print):
    """Every run of the plan, and what may be said of the machine."""
    found = {"machine": machine(), "plan": asdict(plan), "runs": [], "flat": []}
    with tempfile.TemporaryDirectory() as folder:
        for audit in plan.audits:
            with serving(plan, Path(folder), audit) as (process, port):
                for kind in plan.kinds:
                    aim = Aim(plan, Path(folder), kind, port)
                    aim.hit(2, min(plan.at_once))  # what is worked out once is worked out now
                    for at_once in plan.at_once:
                        run = one(aim, process, audit, at_once)
                        say(line(run))
                        found["runs"].append(asdict(run))
                if plan.flat and audit == plan.audits[-1]:
                    found["flat"] = list(watched(Aim(plan, Path(folder), plan.kinds[0], port), process, plan.flat, say))
    return found


def one(aim, process, audit, at_once):
    before, begun = memory(process.pid), cpu_seconds(process.pid)
    said = aim.hit(aim.plan.seconds, at_once)
    taken = sorted((spent - begun.get(pid, 0) for pid, spent in cpu_seconds(process.pid).items()), reverse=True)
    total = max(sum(taken), 1e-9)
    return Run(
        aim.kind, audit, at_once, round(said["requests"] / said["seconds"], 1), said["p50"], said["p90"], said["p99"],
        said["longest"], said["requests"], said["refused"], said["broken"],
        round(said["bytes"] / max(said["requests"], 1) / 1000, 1), round(1000 * total / max(said["requests"], 1), 2),
        [round(each / total, 2) for each in taken], before, memory(process.pid),
    )  # fmt: skip


def watched(aim, process, most, say):
    """Memory of all processes as requests go by, the first thousand left out."""
    asked = 0
    while asked < most:
        asked += aim.hit(aim.plan.seconds, 8)["requests"]
        entry = {"requests": asked, "megabytes": round(sum(memory(process.pid).values()), 1)}
        say(f"memory after {asked} requests: {entry['megabytes']} MB")
        yield entry


class Aim:
    """Where requests go and what they hold."""

    def __init__(self, plan, folder, kind, port):
        self.plan, self.kind, self._folder = plan, kind, folder
        self._url = f"http://127.0.0.1:{port}{PATHS[kind]}"
        self._bodies = folder / f"{kind}.ndjson"
        self._bodies.write_text("".join(json.dumps(body) + "\n" for body in bodies(kind)))

    def hit(self, seconds, at_once):
        """What wrk says of a run."""
        variables = {"LOAD_BODIES": str(self._bodies)}
        if self.plan.signed:
            tokens = self._folder / "tokens"
            count = int(seconds * MOST_A_SECOND) + 100
            tokens.write_text(
                "".join(token(path=PATHS[self.kind], jti=os.urandom(12).hex()) + "\n" for _ in range(count))
            )
            variables["LOAD_TOKENS"] = str(tokens)
        command = [
            "wrk",
            "-t1",
            f"-c{at_once}",
            f"-d{max(1, round(seconds))}s",
            "--timeout=30s",
            "-s",
            str(SCRIPT),
            self._url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | variables)
        return json.loads(done.stdout.strip().splitlines()[-1])


DIFFERENT = 5_000
"""Patients of whom none is like another: more than are asked about while one of the runs lasts."""


def bodies(kind):
    if kind == "comparisons":
        return [{"profile": profile} for profile in islice(different_patients(1), DIFFERENT)]
    if kind == "again":
        return [{"profile": read_values(example_path(name))} for name in example_names()]
    return [call(path.stem) for path in sorted(RECORDS.glob("*.json"))]


@contextlib.contextmanager
def serving(plan, folder, audit):
    """The service with so many workers, its log to nowhere."""
    options = ["--workers", str(plan.workers)]
    if audit:
        options += ["--audit", f"sqlite:///{folder}/audit.db"]
    variables = {"BCMA_DECIDE_REQUESTS_PER_MINUTE": "0"}
    if plan.signed:
        who = issuer(folder).model_dump(mode="json", exclude_none=True)
        variables["BCMA_DECIDE_ISSUERS"] = json.dumps([who | {"audience": ["https://cds.example.org*"]}])
    with running(*options, log=subprocess.DEVNULL, **variables) as found:
        yield found


def memory(parent):
    """Megabytes that each process of the service holds (RSS), by its id."""
    return {str(pid): round(each.megabytes, 1) for pid, each in sorted(family(parent).items())}


def cpu_seconds(parent):
    """CPU time that each process of the service has taken, by its id."""
    return {pid: each.seconds for pid, each in family(parent).items()}


@dataclass(frozen=True)
class Process:
    """What the system says of one process."""

    parent: int
    megabytes: float
    seconds: float


def family(parent):
    """A process and all below it, by their ids."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()  # proc(5), from the third on
            spent = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            megabytes = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1_000_000
            found[int(stat.parent.name)] = Process(int(fields[1]), megabytes, spent)
    own, grown = {parent}, True
    while grown:
        grown = {pid for pid, each in found.items() if each.parent in own} - own
        own |= grown
    return {pid: each for pid, each in found.items() if pid in own}


def machine():
    models = [each for each in Path("/proc/cpuinfo").read_text().splitlines() if each.startswith("model name")]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": os.cpu_count(),
        "load_before": [round(each, 2) for each in os.getloadavg()],
        "python": platform.python_version(),
    }


COLUMNS = (("a second", 9), ("p50 ms", 8), ("p90 ms", 8), ("p99 ms", 8), ("errors", 7), ("CPU ms", 7), ("MB", 12))
HEAD = f"{'':12} audit clients {' '.join(f'{name:>{width}}' for name, width in COLUMNS)}"


def line(run):
    errors = run.refused + run.broken
    before, after = (round(sum(each.values())) for each in (run.before, run.after))
    return (
        f"{run.kind:12} {'on' if run.audit else 'off':5} {run.at_once:7} {run.a_second:9.1f} {run.p50:8.1f} "
        f"{run.p90:8.1f} {run.p99:8.1f} {errors:7} {run.cpu:7.2f} {before:5} ->{after:4}"
    )
