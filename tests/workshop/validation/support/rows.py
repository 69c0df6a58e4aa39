"""Rows with predictions written by hand."""

from __future__ import annotations

from bcma_decide.workshop.validation.shapes import Predicted, ScoredRow

WIDE = ((0.25, 0.75), (0.1, 0.9), (0.0, 1.0))


def predicted(mean, *, ends=WIDE, log_score=0.0, winkler=1.0, crps=0.0):
    return Predicted(mean=mean, intervals=ends, log_score=log_score, winkler=winkler, crps=crps)


def row(study, events, n, *, outcome="orr", class_id="car_t", **said):
    """One row of a study, with what each predictor named said of it."""
    return ScoredRow(
        outcome=outcome,
        study=study,
        name=study,
        arm=None,
        class_id=class_id,
        design="interventional",
        events=events,
        n=n,
        predicted=said,
    )
