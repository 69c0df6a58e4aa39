"""The pooled file is read whole or not at all, and the error says which file and what to do."""

import copy
import itertools
import json

import numpy as np
import pytest

from bcma_decide import NoEvidenceError, load_model
from bcma_decide.pooled.file import pooled_from_document, read_pooled
from bcma_decide.pooled.location import pooled_path
from bcma_decide.vocabulary import CLASSES, CR_GIVEN_RESPONSE, MODEL_TRAIT_IDS, OUTCOMES, STAGES, VGPR_WITHOUT_CR
from tests.model.support.factory import Effect, Level, document, shipped_document, written

SMALL = document({("orr", "car_t"): Level(1.0), ("orr", "bite"): Level(0.0)})


def refusal(path):
    with pytest.raises(NoEvidenceError) as caught:
        read_pooled(path)
    assert caught.value.exit_code == 4
    text = str(caught.value)
    assert str(path) in text
    assert "bcma-decide evidence build" in text
    return text


def test_a_missing_file(tmp_path):
    assert "there is no pooled evidence" in refusal(tmp_path / "pooled.json")


def test_a_directory_in_place_of_the_file(tmp_path):
    assert "cannot be read" in refusal(tmp_path)


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "pooled.json"
    path.write_bytes(b"\xff\xfe\x00{")
    assert "not UTF-8" in refusal(path)


@pytest.mark.parametrize("text", ["", "{", "not json", '{"schema_version": "1",'])
def test_text_that_is_not_json(tmp_path, text):
    path = tmp_path / "pooled.json"
    path.write_text(text, encoding="utf-8")
    assert "not valid JSON" in refusal(path)


@pytest.mark.parametrize("plain", [{"schema_version": "0"}, {}, [1, 2], "1", None, 3])
def test_another_schema_version_or_none(tmp_path, plain):
    path = tmp_path / "pooled.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    assert "another format" in refusal(path)


def test_a_number_changed_by_hand(tmp_path):
    path = tmp_path / "pooled.json"
    text = written(SMALL)
    path.write_text(text, encoding="utf-8")
    read_pooled(path)
    assert text.count('"mean": [[1.0]]') >= 1
    path.write_text(text.replace('"mean": [[1.0]]', '"mean": [[2.0]]'), encoding="utf-8")
    assert "changed after it was built" in refusal(path)


@pytest.mark.parametrize(
    "change", [lambda text: text + " ", lambda text: text.replace('"pooled_hash":"', '"pooled_hash":"0', 1)]
)
def test_any_other_change_breaks_the_seal_too(tmp_path, change):
    path = tmp_path / "pooled.json"
    path.write_text(change(written(SMALL)), encoding="utf-8")
    assert "changed after it was built" in refusal(path)


def test_a_file_without_a_seal(tmp_path):
    path = tmp_path / "pooled.json"
    path.write_text(json.dumps(SMALL), encoding="utf-8")
    assert "changed after it was built" in refusal(path)


def test_windows_line_ends_are_not_a_change(tmp_path):
    path = tmp_path / "pooled.json"
    path.write_bytes(written(SMALL).replace("\n", "\r\n").encode())
    assert len(read_pooled(path).cells) == 4


@pytest.mark.parametrize(
    "keys",
    [
        ("families",),
        ("outcomes",),
        ("outcomes", "orr"),
        ("outcomes", "orr", "car_t", "further_product"),
        ("levels",),
        ("levels", "orr"),
        ("levels", "orr", "car_t", "slope"),
        ("levels", "orr", "car_t", "settings", "real_world", "tau"),
        ("families", "response", "depth", "share"),
        ("outcomes", "vgpr_or_better", "bite", "reason"),
        ("population", "correlation"),
        ("traits", "reference"),
        ("evidence", "hash"),
        ("assumptions",),
        ("definitions",),
        ("definitions", "drugs"),
        ("options",),
        ("provenance",),
        ("sources",),
        ("not_known",),
    ],
    ids=".".join,
)
def test_a_missing_key(tmp_path, keys):
    plain = copy.deepcopy(SMALL)
    inner = plain
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    path = tmp_path / "pooled.json"
    path.write_text(written(plain), encoding="utf-8")
    assert "incomplete" in refusal(path)


def test_traits_of_another_program(tmp_path):
    plain = copy.deepcopy(SMALL)
    plain["traits"]["ids"][0] = "shoe_size"
    path = tmp_path / "pooled.json"
    path.write_text(written(plain), encoding="utf-8")
    assert "not those of this program" in refusal(path)


def test_effects_land_at_their_family_class_and_trait():
    """Three effects given out of order, with a covariance that can be told apart entry by entry."""
    rows = [
        Effect("bite", "frail", 0.4),
        Effect("car_t", "age", -0.2, borrowed=True),
        Effect("car_t", "extramedullary_disease", -0.9),
    ]
    V = [[0.10, 0.01, 0.02], [0.01, 0.20, 0.03], [0.02, 0.03, 0.30]]
    found = pooled_from_document(document({}, effects={"crs": rows}, covariance={"crs": V}))
    crs, T = found.family_index["crs"], len(MODEL_TRAIT_IDS)
    age, emd, frail = (MODEL_TRAIT_IDS.index(t) for t in ("age", "extramedullary_disease", "frail"))
    assert (found.effects[crs, 1, frail], found.effects[crs, 0, age], found.effects[crs, 0, emd]) == (0.4, -0.2, -0.9)
    assert found.effects.astype(bool).sum() == found.used.sum() == 3
    assert found.used[crs, 0, age]
    assert found.borrowed[crs, 0, age]
    assert found.borrowed.sum() == 1
    block = found.effect_covariance[crs]
    assert (block[T + frail, T + frail], block[age, age], block[emd, emd]) == (0.10, 0.20, 0.30)
    assert (block[T + frail, age], block[emd, T + frail], block[age, emd]) == (0.01, 0.02, 0.03)
    assert np.count_nonzero(found.effect_covariance) == 9


def test_effects_on_depth_stand_beside_those_on_response():
    """Effects -0.9 and 0.4; share 0.5, deviations 0.1 and -0.2: later stages -0.35 and 0.0."""
    rows = [Effect("car_t", "extramedullary_disease", -0.9), Effect("bite", "age", 0.4)]
    V, D = [[0.10, 0.01], [0.01, 0.20]], [[0.03, 0.002], [0.002, 0.04]]
    found = pooled_from_document(
        document({}, effects={"response": rows}, covariance={"response": V}, depth=(0.5, [0.1, -0.2], D))
    )
    age, emd = (MODEL_TRAIT_IDS.index(t) for t in ("age", "extramedullary_disease"))
    for outcome in ("orr", "cr_or_better", "vgpr_or_better"):
        first, later = found.effects_of(outcome)
        assert (first[0, emd], first[1, age]) == (-0.9, 0.4)
        assert (later[0, emd], later[1, age]) == (pytest.approx(-0.35), pytest.approx(0.0))
        assert np.count_nonzero(first) == 2
    T = len(MODEL_TRAIT_IDS)
    alone, deep = found.outcome_covariance["orr"], found.outcome_covariance["cr_or_better"]
    assert alone.shape == (2, T, 2, T)
    assert deep.shape == (2, 2 * T, 2, 2 * T)
    assert (alone[0, emd, 0, emd], alone[0, emd, 1, age]) == (0.10, 0.01)
    assert deep[:, :T, :, :T] == pytest.approx(alone)
    assert (deep[0, T + emd, 0, T + emd], deep[1, T + age, 0, T + emd]) == (0.03, 0.002)
    assert not deep[:, :T, :, T:].any()


def test_an_outcome_names_its_stages_and_products():
    levels = {
        (stage, option): Level(0.1 * number)
        for number, (stage, option) in enumerate(
            itertools.product(("orr", CR_GIVEN_RESPONSE, VGPR_WITHOUT_CR), ("alpha-cel", "beta-cel"))
        )
    }
    found = pooled_from_document(document(levels))
    for outcome, stages in STAGES.items():
        if outcome not in ("orr", "vgpr_or_better", "cr_or_better"):
            continue
        for option, members in (("car_t", (0, 1)), ("alpha-cel", (0,)), ("beta-cel", (1,))):
            cell = found.cells[found.place[outcome, option]]
            assert cell.members == members
            assert tuple(found.blocks[index].stage for index in cell.stages) == stages
            assert {found.blocks[index].products for index in cell.stages} == {("alpha-cel", "beta-cel")}
    assert ("cr_or_better", "bite") in found.missing


def test_cells_are_the_estimated_ones_and_the_others_keep_their_reason():
    found = pooled_from_document(SMALL)
    cells = [(cell.outcome, cell.option) for cell in found.cells]
    assert cells == [("orr", "car_t"), ("orr", "bite"), ("orr", "alpha-cel"), ("orr", "gamma-mab")]
    assert found.missing["orr", "beta-cel"] == ("no_evidence", "nothing on beta-cel")
    assert len(OUTCOMES) * 5 == len(found.cells) + len(found.missing)
    assert found.product_rows == (([2], 0), ([3], 1))


def test_a_product_without_rows_of_its_own_is_a_further_product():
    levels = {("orr", "alpha-cel"): Level(1.0), ("orr", "beta-cel"): Level(0.5, 0.9, further=True)}
    found = pooled_from_document(document(levels))
    further = {cell.option: cell.further_product for cell in found.cells}
    assert further == {"car_t": False, "alpha-cel": False, "beta-cel": True}


def test_rounded_weights_sum_to_one_again():
    nodes = ((0.333333, 0.0, 0.1, 0.2), (0.666666, 0.5, 0.1, 0.4))
    found = pooled_from_document(document({("orr", "car_t"): Level(0.0, nodes=nodes)}))
    assert found.levels["real_world"][0].weight.sum() == pytest.approx(1.0, abs=1e-15)


def test_the_shipped_file_comes_back_number_for_number():
    """Every number of the file, looked up again in the arrays by its name."""
    found, plain = read_pooled(pooled_path()), shipped_document()
    assert plain["evidence"]["hash"] == found.hash
    estimated = 0
    for outcome in OUTCOMES:
        for option, entry in plain["outcomes"][outcome].items():
            if entry["state"] != "estimated":
                assert (entry["state"], entry["reason"]) == found.missing[outcome, option]
                continue
            estimated += 1
            cell = found.cells[found.place[outcome, option]]
            assert (cell.n_studies, cell.n_patients) == (entry["n_studies"], entry["n_patients"])
            assert cell.further_product == entry["further_product"]
    assert estimated == len(found.cells)
    for index, block in enumerate(found.blocks):
        entry = plain["levels"][block.stage][CLASSES[block.class_index]]
        assert list(block.products) == entry["products"]
        assert block.slope.tolist() == entry["slope"]
        for setting, level in entry["settings"].items():
            arrays = found.levels[setting][index]
            assert arrays.mean.tolist() == level["mean"]
            assert arrays.tau.tolist() == level["tau"]
            assert arrays.covariance.tolist() == level["covariance"]
            assert level["weight"] == pytest.approx(arrays.weight, abs=1e-5)
    assert len(found.blocks) == sum(len(classes) for classes in plain["levels"].values())
    for family, block in plain["families"].items():
        for effect in block["effects"]:
            where = (
                found.family_index[family],
                CLASSES.index(effect["class_id"]),
                MODEL_TRAIT_IDS.index(effect["trait"]),
            )
            assert effect["mean"] == found.effects[where]
            assert found.used[where]
            assert effect["borrowed"] == found.borrowed[where]
    assert sum(len(block["effects"]) for block in plain["families"].values()) == found.used.sum()
    assert plain["population"]["points"] == found.population.points.tolist()
    depth = plain["families"]["response"]["depth"]
    assert found.depth.share == depth["share"]
    assert sorted(found.depth.deviation[found.depth.deviation != 0]) == sorted(d for d in depth["deviation"] if d)


def test_the_shipped_file_holds_what_a_model_must_be():
    """Weights sum to one, variances are positive, covariances and the correlation have no negative direction."""
    found = load_model()
    for settings in found.levels.values():
        assert len(settings) == len(found.blocks)
        for levels in settings:
            assert levels.weight.sum() == pytest.approx(1.0, abs=1e-12)
            assert (levels.weight >= 0).all()
            assert (levels.tau > 0).all()
            assert np.linalg.eigvalsh(levels.covariance).min() > 0
            assert np.isfinite(levels.mean).all()
    T = len(CLASSES) * found.trait_count
    assert np.linalg.eigvalsh(found.depth.covariance.reshape(T, T)).min() > -1e-6
    assert np.linalg.eigvalsh(found.effect_covariance).min() > -1e-6
    assert np.linalg.eigvalsh(found.population.correlation).min() > 0
    assert found.population.points.shape == (512, found.trait_count)


def test_the_model_is_read_once_and_again_when_the_file_changes(tmp_path):
    path = tmp_path / "pooled.json"
    path.write_text(written(SMALL), encoding="utf-8")
    first = load_model(tmp_path)
    assert load_model(tmp_path) is first
    changed = copy.deepcopy(SMALL)
    changed["evidence"]["hash"] = "1" * 64
    path.write_text(written(changed), encoding="utf-8")
    assert load_model(tmp_path).hash == "1" * 64
