"""The pooled file is read whole or not at all, and the error says which file and what to do."""

import copy
import json

import numpy as np
import pytest

from bcma_decide import NoEvidenceError, load_model
from bcma_decide.pooled.file import pooled_from_document, read_pooled
from bcma_decide.pooled.location import pooled_path
from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, OUTCOMES
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
    assert text.count('"mean": 1.0') >= 1
    path.write_text(text.replace('"mean": 1.0', '"mean": 2.0'), encoding="utf-8")
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
    assert len(read_pooled(path).cells) == 2


@pytest.mark.parametrize(
    "keys",
    [
        ("families",),
        ("outcomes",),
        ("outcomes", "orr"),
        ("outcomes", "orr", "car_t", "levels"),
        ("outcomes", "orr", "car_t", "levels", "real_world", "node_spread2"),
        ("outcomes", "orr", "car_t", "slope"),
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


def test_cells_are_the_estimated_ones_and_the_others_keep_their_reason():
    found = pooled_from_document(SMALL)
    assert [(cell.outcome, cell.option) for cell in found.cells] == [("orr", "car_t"), ("orr", "bite")]
    assert found.missing["orr", "alpha-cel"] == ("no_evidence", "nothing on alpha-cel")
    assert len(OUTCOMES) * 3 == len(found.cells) + len(found.missing)


def test_the_shipped_file_comes_back_number_for_number():
    """Every number of the file, looked up again in the arrays by its name."""
    found, plain = read_pooled(pooled_path()), shipped_document()
    assert plain["evidence"]["hash"] == found.hash
    place = {(cell.outcome, cell.option): index for index, cell in enumerate(found.cells)}
    estimated = 0
    for outcome in OUTCOMES:
        for option, entry in plain["outcomes"][outcome].items():
            if entry["state"] != "estimated":
                assert (entry["state"], entry["reason"]) == found.missing[outcome, option]
                continue
            estimated += 1
            index = place[outcome, option]
            for setting, level in entry["levels"].items():
                arrays = found.levels[setting]
                assert level["mean"] == arrays.mean[index]
                assert level["variance"] == arrays.variance[index]
                assert level["node_weight"] == arrays.node_weight[index].tolist()
                assert level["node_spread2"] == arrays.node_spread2[index].tolist()
                assert entry["slope"] == arrays.slope[index].tolist()
    assert estimated == len(found.cells)
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


def test_the_shipped_file_holds_what_a_model_must_be():
    """Weights sum to one, variances are positive, covariances and the correlation have no negative direction."""
    found = load_model()
    for levels in found.levels.values():
        assert np.ones(len(found.cells)) == pytest.approx(levels.node_weight.sum(axis=1), abs=1e-5)
        assert (levels.variance > 0).all()
        assert (levels.node_variance > 0).all()
        assert (levels.node_spread2 >= 0).all()
        between = (levels.node_weight * (levels.node_mean - levels.mean[:, None]) ** 2).sum(axis=1)
        within = (levels.node_weight * levels.node_variance).sum(axis=1)
        assert levels.variance == pytest.approx(between + within, rel=1e-3, abs=1e-5)
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
