"""One patient's numbers are too small for threads: those of the linear algebra would spin, waiting for each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys

PROGRAM = """
import json, time
from bcma_decide import Patient, compare
compare(Patient(age=50))
start = time.thread_time(), time.process_time()
for age in range(45, 75):
    compare(Patient(age=age, prior_lines=4))
    compare(Patient(extramedullary_disease="yes", frail=["yes", "no"][age % 2]))
print(json.dumps([time.thread_time() - start[0], time.process_time() - start[1]]))
"""


def test_no_other_thread_works_on_a_comparison():
    several = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    found = subprocess.run([sys.executable, "-c", PROGRAM], env=several, capture_output=True, text=True, check=True)
    own, everyone = json.loads(found.stdout)
    assert everyone < 1.2 * own
