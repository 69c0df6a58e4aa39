"""Sentences beside a result are there when what they say is so, and only then."""

import numpy as np

from bcma_decide.workshop.meta_analysis.two_groups import compare_groups, tables
from bcma_decide.workshop.synthesis.model import PoolingMethod, usual_model
from bcma_decide.workshop.synthesis.remarks import correction_remarks, model_remarks, prediction_remarks, result_remarks
from bcma_decide.workshop.synthesis.result import result_of
from bcma_decide.workshop.synthesis.studies import Scale, Studies, counted_studies


def said(studies, model):
    result = result_of(studies, model)
    return " ".join([*model_remarks(studies, model, [result]), *result_remarks(studies, model, result)])


def effects(yi, vi):
    return Studies(tuple("abcdefgh"[: len(yi)]), Scale("generic"), np.array(yi), np.array(vi))


def test_a_plain_result_needs_none():
    assert said(effects([0.1, 0.9, 0.4, 1.6], [0.1] * 4), PoolingMethod()) == ""


def test_why_the_exact_model_was_chosen():
    studies = counted_studies("abc", [1, 3, 0], [40, 155, 121])
    method, why = usual_model(studies, "z")
    assert method == "GLMM"
    text = said(studies, PoolingMethod(method, why=why))
    assert "4 of 316 patients (1.3 %) had the event" in text
    assert "a Wald test would leave out the 1 of 3 studies" in text
    assert "typical study" in text


def test_why_the_exact_model_was_not_chosen_where_the_test_needs_weights():
    method, why = usual_model(counted_studies("abc", [1, 3, 0], [40, 155, 121]), "knha")
    assert method == "REML"
    assert "rare (below 5 %): pooled by REML all the same, as --test knha goes with weighted methods" in why
    assert usual_model(counted_studies("abc", [20, 70, 60], [40, 155, 121]), "knha") == ("REML", "")


def test_nearly_everybody_is_rare_too():
    method, why = usual_model(counted_studies("abc", [39, 150, 121], [40, 155, 121]), "z")
    assert (method, "6 of 316 patients" in why, "did not have the event" in why) == ("GLMM", True, True)
    assert usual_model(counted_studies("abc", [20, 70, 60], [40, 155, 121]), "z") == ("REML", "")


def test_studies_that_agree_more_than_chance_would_have_them():
    """The floor of the interval is that of one effect for all: 0.0386 to 0.4114 for two groups of 0.04 at 0.225."""
    agreeing = effects([0.3, 0.31, 0.29, 0.3], [0.04] * 4)
    text = said(agreeing, PoolingMethod(test="knha"))
    assert "narrower than that of one effect for all studies, 0.104 to 0.496" in text
    assert "narrower" not in said(agreeing, PoolingMethod(test="knha-floored"))
    assert "narrower" not in said(effects([0.1, 2.0, -1.0, 0.3], [0.04] * 4), PoolingMethod(test="knha"))


def test_what_summed_tables_take_and_leave_out():
    counts = ([0, 3, 2], [100, 100, 50], [0, 9, 6], [100, 100, 50])
    of = compare_groups(*counts)
    studies = Studies(("x", "y", "z"), Scale("OR"), of.yi, of.vi, groups=tables(*counts))
    text = said(studies, PoolingMethod("MH"))
    assert "One effect for all studies is taken." in text
    assert "Nobody or everybody had the event in x: not counted in Q." in text


def test_freeman_tukey_is_read_back_at_one_size():
    text = said(counted_studies("ab", [4, 9], [10, 30], "freeman-tukey"), PoolingMethod())
    assert "harmonic mean of the study sizes, 15;" in text


def test_too_few_studies_for_a_prediction_interval():
    assert "A prediction interval needs more studies" in said(effects([0.1, 0.9], [0.1, 0.1]), PoolingMethod())
    assert "needs more studies" not in said(effects([0.1, 0.9], [0.1, 0.1]), PoolingMethod(prediction="k-1"))


def test_nobody_had_the_event():
    text = said(counted_studies("ab", [0, 0], [10, 30]), PoolingMethod("GLMM"))
    assert "Nobody had the event: the studies are counted together" in text


def test_one_degree_of_freedom_is_said_and_two_are_not():
    def wide(yi, **options):
        model = PoolingMethod(**options)
        return list(prediction_remarks(model, {"all": result_of(effects(yi, [0.1] * len(yi)), model)}))

    [said] = wide([0.1, 0.9, 0.4])
    assert said.startswith("With 3 studies (all) the prediction interval rests on one degree of freedom")
    assert wide([0.1, 0.9, 0.4], prediction="k-1") == wide([0.1, 0.9, 0.4, 0.2]) == wide([0.1, 0.9]) == []
    assert wide([0.1, 0.9, 0.4], method="EE") == []


def test_what_is_added_to_empty_cells_is_said_with_what_takes_counts_as_they_are():
    studies = counted_studies("abc", [0, 30, 12], [40, 50, 25])
    assert list(correction_remarks(studies, PoolingMethod())) == [
        "0.5 is added to the cells of a, which has an empty one; --method GLMM takes the counts as they are."
    ]
    assert list(correction_remarks(studies, PoolingMethod("GLMM"))) == []
    assert list(correction_remarks(studies.of([1, 2]), PoolingMethod())) == []
    assert list(correction_remarks(counted_studies("abc", [0, 30, 12], [40, 50, 25], "arcsine"), PoolingMethod())) == []
    many = counted_studies([f"s{n}" for n in range(10)], [0] * 9 + [4], [9] * 10)
    assert "of 9 studies, which have" in next(correction_remarks(many, PoolingMethod()))
