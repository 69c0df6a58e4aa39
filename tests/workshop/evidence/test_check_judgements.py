"""Files of judgements are checked like the studies: shape, and references that lead somewhere."""

import yaml

from bcma_decide.workshop.evidence.check import check


def problems(root):
    return {(problem.file, problem.field): problem.message for problem in check(root)}


def change(root, name, alter):
    content = yaml.safe_load((root / name).read_text())
    alter(content)
    (root / name).write_text(yaml.safe_dump(content, allow_unicode=True))


def test_the_shipped_files_are_sound(root):
    assert problems(root) == {}


def test_an_assumption_without_a_reason_is_reported_with_its_field(root):
    change(root, "assumptions.yaml", lambda content: content["bias"]["unanchored_sd"].pop("reason"))
    assert ("assumptions.yaml", "bias.unanchored_sd.reason") in problems(root)


def test_a_correlation_needs_one_origin(root):
    change(root, "trait_correlations.yaml", lambda content: content["pairs"][0].update(assumed=0.3, reason="because"))
    assert ("trait_correlations.yaml", "pairs.0") in problems(root)


def test_a_correlation_of_an_unknown_study_is_reported(root):
    change(root, "trait_correlations.yaml", lambda content: content["pairs"][0].update(study="nowhere-1"))
    assert "nowhere-1" in problems(root)["trait_correlations.yaml", "pairs[0].study"]


def test_a_pooled_effect_must_agree_with_the_row_it_comes_from(root):
    change(root, "pooled_effects.yaml", lambda content: content["effects"][0].update(value=0.5))
    assert "te030" in problems(root)["pooled_effects.yaml", "effects[0].value"]


def test_a_recalled_pooled_effect_may_not_enter(root):
    change(root, "pooled_effects.yaml", lambda content: content["effects"][1].update(basis="recalled"))
    assert "recalled" in problems(root)["pooled_effects.yaml", "effects[1].basis"]
