"""Many patients at once: profiles for each second of CPU on one core."""

from __future__ import annotations

import time
from typing import Any

ROWS = 512


def cohort() -> dict[str, Any]:
    """Profiles a second with what is known drawn for each, and where the known repeats; none without the extra."""
    try:
        import numpy as np
        import pyarrow as pa

        from bcma_decide.cohort.answer import answer_batch
        from bcma_decide.cohort.question import CohortQuestion, choose_columns
    except ImportError:
        return {}
    generator = np.random.default_rng(3)
    known = {
        "age": generator.integers(40, 88, ROWS).astype(str),
        "extramedullary_disease": generator.choice(["yes", "no", ""], ROWS),
        "high_risk_cytogenetics": generator.choice(["yes", "no", ""], ROWS),
        "ecog": generator.choice(["0", "1", "2", ""], ROWS),
        "prior_lines": generator.integers(1, 9, ROWS).astype(str),
    }
    drawn = pa.RecordBatch.from_pydict(
        {"id": [str(n) for n in range(ROWS)], **{k: v.tolist() for k, v in known.items()}}
    )
    repeated = drawn.take(pa.array(np.arange(ROWS) % 64))
    columns, carried = choose_columns(drawn.schema.names)
    question = CohortQuestion(columns, carried)
    found = {}
    for name, batch in (("each drawn", drawn), ("64 profiles that repeat", repeated)):
        answer_batch(batch, question)
        before = time.process_time()
        answer_batch(batch, question)
        found[f"profiles for a CPU second, {name}"] = ROWS / (time.process_time() - before)
    return found
