"""The row of an answer, read off a whole comparison: what every batch is held to."""

from bcma_decide.vocabulary import MODEL_TRAIT_IDS, PFS


def one_row(comparison):
    """Columns of the answer of one patient by name; a number that is not given is not there."""
    row = {
        "problems": [],
        "read_as": sorted(comparison.profile.read_as),
        "unknown_traits": sorted((each.trait for each in comparison.unknowns), key=MODEL_TRAIT_IDS.index),
        "findings": [
            {
                "id": finding.id,
                "option": finding.applies_to.get("product", finding.applies_to.get("class", "")),
                "state": finding.state,
            }
            for finding in comparison.findings
        ],
    }
    for product, label in comparison.indications.items():
        single, *combined = label.regimens
        row[f"label.{product}"] = single.state
        row |= {f"label.{product}.{each.regimen.replace(' ', '_')}": each.state for each in combined}
    for outcome in comparison.outcomes:
        for option, estimate in outcome.estimates.items():
            place = f"{outcome.id}.{option}"
            row[f"{place}.state"] = estimate.state
            row[f"{place}.mean"], row[f"{place}.median"] = estimate.mean, estimate.median
            row |= both_ends(place, estimate)
        row |= of_contrast(f"{outcome.id}.contrast", outcome.contrast)
    for survival in comparison.survival:
        if survival.kind == "computed" and survival.endpoint == PFS:
            row[f"pfs.{survival.option}.state"] = survival.state
            for time in survival.times:
                place = f"pfs.{survival.option}.month_{time.month:.0f}"
                row[f"{place}.mean"] = time.mean
                row |= both_ends(place, time)
            for name in ("median_months", "restricted_mean_months"):
                if duration := getattr(survival, name):
                    row[f"pfs.{survival.option}.{name}.value"] = duration.value
                    row |= both_ends(f"pfs.{survival.option}.{name}", duration)
    row |= of_contrast("pfs.contrast.month_12", comparison.survival_contrast)
    return {name: value for name, value in row.items() if value is not None}


def both_ends(place, figures):
    ends = {}
    for kind in ("credible", "prediction"):
        low, high = getattr(figures, kind) or (None, None)
        ends |= {f"{place}.{kind}_low": low, f"{place}.{kind}_high": high}
    return ends


def of_contrast(place, contrast):
    if contrast is None:
        return {}
    low, high = contrast.risk_difference.interval
    return {
        f"{place}.risk_difference": contrast.risk_difference.mean,
        f"{place}.risk_difference_low": low,
        f"{place}.risk_difference_high": high,
        f"{place}.probability_first_higher": contrast.probability_first_higher,
    }


def assert_same(row, comparison, carried=("id",)):
    """The row of a batch is that of the comparison: numbers to 1e-9, everything else exactly."""
    assert row["problems"] == []
    expected = one_row(comparison)
    found = {name: value for name, value in row.items() if value is not None and name not in carried}
    found["read_as"] = sorted(found["read_as"])
    for each in (found, expected):
        each["findings"] = sorted(each["findings"], key=lambda finding: tuple(finding.values()))
    assert found.keys() == expected.keys(), sorted(found.keys() ^ expected.keys())[:10]
    numbers = [name for name, value in expected.items() if isinstance(value, float)]
    off = [(name, found[name], expected[name]) for name in numbers if abs(found[name] - expected[name]) > 1e-9]
    assert off == [], off[:5]
    other = [name for name in expected if name not in numbers and found[name] != expected[name]]
    assert other == [], [(name, found[name], expected[name]) for name in other][:3]
