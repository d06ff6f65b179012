"""What is read, split, scaled and laid out: nothing leaks, nothing is lost, and what is wrong is named by its line."""

import csv
import dataclasses
import json
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.healthcare_monitoring import (
    data,
    metrics,
    options,
    parts,
    reading,
    records,
    scaling,
    simulate,
    sources,
    steps,
    survival,
    unlike,
)
from apps.healthcare_monitoring.config import DEFAULT, RECIPES, SUMMARIES, Config
from shared import InputError, MissingFileError
from shared.data import fetch
from shared.data.catalogue import CATALOGUE

LIVES = [(f"p{n}", n % 2) for n in range(40)]
MEASURED = "".join(f"{name},{hour},HR,{70 + n + hour}\n" for n, (name, _) in enumerate(LIVES) for hour in (0, 2.5))
HEADER = "patient,time,variable,value\n"
ENDED = "".join(f"{name},{died}\n" for name, died in LIVES)


def own(tmp_path, measured=MEASURED, ended=ENDED, header=HEADER, ends="patient,outcome\n", **settings):
    (tmp_path / "m.csv").write_text(header + measured)
    (tmp_path / "outcomes.csv").write_text(ends + ended)
    return dataclasses.replace(DEFAULT, data=str(tmp_path / "m.csv"), **settings)


def everybody(whole):
    """The parts of the data."""
    return whole.train, whole.valid, whole.test


@pytest.fixture(scope="module")
def builtin():
    return data.load(DEFAULT)


def test_no_patient_is_in_two_parts_and_each_has_its_share_of_deaths(builtin):
    names = [name for part in everybody(builtin) for name in part.patients]
    assert len(names) == len(set(names)) == 1500
    shares = [(part.outcomes.label == 1).mean() for part in everybody(builtin)]
    assert max(shares) - min(shares) < 0.01


def test_fewer_patients_are_spread_evenly_over_all_of_them(builtin):
    few = data.load(dataclasses.replace(DEFAULT, max_examples=300))
    names = sorted(name for part in everybody(few) for name in part.patients)
    assert names == sorted(f"stay{n}" for n in np.linspace(0, 1499, 300).round().astype(int))
    assert few.info["fingerprint"] == builtin.info["fingerprint"]  # that of all which was read
    every = sources.read(DEFAULT)[0]
    for name in names[:20]:
        mine = next(part.table for part in everybody(few) if name in part.patients)
        one, other = (table.among(np.array([table.patients.index(name)])) for table in (mine, every))
        assert (one.patients, one.who.tolist()) == ((name,), [0] * len(other.when))
        np.testing.assert_array_equal(one.value, other.value)


def test_the_fingerprint_is_that_of_the_content_and_not_of_the_path(tmp_path):
    changes = {"same": {}, "moved": {}, "measured": {"measured": MEASURED.replace("p0,0,HR,70", "p0,0,HR,71")},
               "ended": {"ended": ENDED.replace("p0,0", "p0,1")}}  # fmt: skip
    prints = {}
    for name, changed in changes.items():
        (tmp_path / name).mkdir()
        prints[name] = data.load(own(tmp_path / name, **changed)).info["fingerprint"]
    assert prints["same"] == prints["moved"]
    assert len(set(prints.values())) == 3
    assert data.load(dataclasses.replace(DEFAULT, seed=2)).info["fingerprint"] != data.load(DEFAULT).info["fingerprint"]


def test_every_patient_is_tested_in_exactly_one_fold():
    label = np.arange(100) % 3
    tested = [data.split(label, dataclasses.replace(DEFAULT, fold=fold))["test"] for fold in range(5)]
    assert sorted(np.concatenate(tested)) == list(range(100))


def test_outcomes_are_no_inputs_and_changing_them_changes_no_input_of_a_patient(monkeypatch, builtin):
    assert not {name.lower() for name in builtin.info["variables"]} & reading.FORBIDDEN
    found, outcomes = sources.read(DEFAULT)
    before = steps.grid(found, 1.0, 24.0)[0]
    other = np.random.default_rng(0).permutation(outcomes.label)
    monkeypatch.setattr(data, "read", lambda config: (found, records.Outcomes(other, None)))
    changed = data.load(DEFAULT)
    assert changed.info["variables"] == builtin.info["variables"]
    raw = scaling.Scale(**changed.info["scale"]).apply(before)
    inputs, _ = steps.encode(raw, np.broadcast_to(np.arange(24.0), raw.shape[:2]), 1.0, changed.info["unit"])
    rows = [found.patients.index(name) for name in changed.test.patients]
    np.testing.assert_array_equal(changed.test.steps.inputs, inputs[rows])


@pytest.mark.parametrize("name", ["In-hospital_death", "Length_of_stay", "Survival", "outcome", "TTE"])
def test_a_column_that_is_an_outcome_is_refused_as_a_variable(name, tmp_path):
    config = own(tmp_path, MEASURED + f"p0,3,{name},1\n")
    with pytest.raises(InputError, match=f"m.csv, line 82: {name} is an outcome"):
        data.load(config)


def test_scaling_comes_from_the_training_patients_alone(builtin):
    found, _ = sources.read(DEFAULT)
    mine = np.isin(np.array(found.patients)[found.who], builtin.train.patients)
    again = scaling.Scale.fit(found.kept(np.flatnonzero(mine)))
    assert dataclasses.asdict(again) == builtin.info["scale"]
    assert dataclasses.asdict(scaling.Scale.fit(found)) != builtin.info["scale"]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 3), st.floats(0.1, 0.9))
def test_inputs_say_what_was_seen_last_and_how_long_ago(seed, length, variables, share):
    random = np.random.default_rng(seed)
    values = random.normal(size=(2, length, variables)).astype(np.float32)
    values[random.random(values.shape) < share] = np.nan
    times = np.broadcast_to(np.arange(length) * 2.0, (2, length))
    inputs, summary = steps.encode(values, times, 2.0, 4.0, SUMMARIES)
    for who, t, v in np.ndindex(values.shape):
        seen = [s for s in range(t + 1) if not np.isnan(values[who, s, v])]
        before = [s for s in seen if s < t]
        last, flag, gap = inputs[who, t, v::variables]
        assert last == (values[who, seen[-1], v] if seen else 0)
        assert flag == (seen[-1:] == [t])
        assert gap == pytest.approx((t - before[-1] if before else t + 1) * 2.0 / 4.0)
        kept = values[who, seen, v]
        said = dict(zip(SUMMARIES, summary[who, t, :-1].reshape(-1, variables)[:, v], strict=True))
        assert np.exp(said["count"]) == pytest.approx(1 + len(seen))
        if seen:
            fades = np.exp([(s - t) * 2.0 / 4.0 for s in seen])
            expected = [kept[-1], kept.mean(), kept.min(), kept.max(), np.average(kept, weights=fades)]
            names = ("last", "mean", "low", "high", "recent")
            np.testing.assert_allclose([said[name] for name in names], expected, rtol=1e-4, atol=1e-5)
        else:
            assert np.isnan([said[name] for name in ("last", "mean", "low", "high", "recent")]).all()


def test_later_measurements_change_no_earlier_step():
    random = np.random.default_rng(1)
    values = random.normal(size=(3, 6, 2)).astype(np.float32)
    changed = values.copy()
    changed[:, 4:] = np.nan
    times = np.broadcast_to(np.arange(6.0), (3, 6))
    for one, other in zip(steps.encode(values, times, 1, 1), steps.encode(changed, times, 1, 1), strict=True):
        np.testing.assert_array_equal(one[:, :4], other[:, :4])


def test_bins_average_and_visits_are_steps_of_their_own():
    found = records.table("t", "aaab", [0.2, 0.7, 2.0, 1.0], ["x", "x", "y", "x"], [1.0, 3.0, 5.0, 7.0])
    values, times, lengths = steps.grid(found, 1.0, 3.0)
    assert lengths.tolist() == [3, 2] and times[0].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(values[0], [[2, np.nan], [np.nan, np.nan], [np.nan, 5]])
    values, times, lengths = steps.grid(found, 0.0, 0.0)
    assert lengths.tolist() == [3, 1] and times[0].tolist() == [0.2, 0.7, 2.0]
    np.testing.assert_array_equal(values[0, :, 0], [1, 3, np.nan])


def test_each_interval_is_known_up_to_the_event_or_the_end_of_follow_up():
    outcomes = records.Outcomes(np.array([2, 0]), np.array([25.0, 25.0]))
    config = Config(intervals=4, interval=10.0, step=0.0, window=0.0, early_share=0.5)
    targets, weights = parts.layout(outcomes, np.array([[0.0, 10.0], [0.0, 0.0]]), np.array([2, 1]), config)
    assert targets[0].tolist() == [[0, 0, 2, 0], [0, 2, 0, 0]]
    assert (weights[0] > 0).tolist() == [[True, True, True, False], [True, True, False, False]]
    assert (weights[1] > 0).tolist() == [[True, True, False, False], [False] * 4]


def test_competing_risks_and_survival_add_up_to_one():
    random = np.random.default_rng(1)
    scores = np.exp(random.normal(size=(5, 7, 3)))
    chances = scores / scores.sum(axis=-1, keepdims=True)
    total = metrics.incidence(chances).sum(axis=-1) + np.cumprod(chances[..., 0], axis=-1)
    np.testing.assert_allclose(total, 1)


def test_a_risk_at_a_landmark_is_conditional_on_reaching_it():
    chances = np.tile([0.9, 0.1], (1, 1, 4, 1))  # one patient, one visit at 0: a hazard of 0.1 in each interval
    visit = steps.Steps(None, None, None, times=np.zeros((1, 1)), lengths=np.array([1]))
    part = parts.Part(visit, None, None, None, None)
    at = np.array([0]), np.array([0])
    risks = survival._from_landmark(part, at, chances, 2.0, 1.0, [1.0, 2.0])
    np.testing.assert_allclose(risks, [[0.1, 1 - 0.9**2]])


def test_the_calibration_slope_is_one_for_true_risks_and_less_for_extreme_ones():
    random = np.random.default_rng(1)
    risks = random.random(20_000)
    happened = random.random(20_000) < risks
    assert metrics.calibration_slope(happened, risks) == pytest.approx(1, abs=0.05)
    extreme = 1 / (1 + np.exp(-2 * metrics.logit(risks)))
    assert metrics.calibration_slope(happened, extreme) == pytest.approx(0.5, abs=0.03)


BAD = {
    "no such file": (dict(header=None), "There is none at"),
    "an empty file": (dict(header="", measured=""), "m.csv, line 1: expected the columns .* received an empty file"),
    "wrong columns": (dict(header="who,when,what,how\n"), "line 1: expected the columns patient, time, variable"),
    "no rows": (dict(measured=""), "expected measurements below the header; received none"),
    "a cell too few": (dict(measured="p0,1,HR\n" + MEASURED), "m.csv, line 2: expected 4 cells; received 3"),
    "a word for a value": (dict(measured=MEASURED + "p0,1,HR,high\n"), "line 82: expected a number as value; .*'high'"),
    "not a number": (dict(measured=MEASURED + "p0,1,HR,nan\n"), "line 82: expected a finite number as value"),
    "a column twice": (
        dict(header="patient,time,variable,value,Value\n", measured=MEASURED.replace("\n", ",1\n")),
        "m.csv, line 1: expected one column value; received patient,",
    ),
    "a further column twice": (
        dict(header="patient,time,variable,value,Ward,ward\n", measured=MEASURED.replace("\n", ",1,1\n")),
        "m.csv, line 1: expected one column ward; received patient, time, variable, value, Ward, ward",
    ),
    "semicolons": (
        dict(header=HEADER.replace(",", ";"), measured=MEASURED.replace(",", ";")),
        "line 1: expected the columns .*; received .*patient;time.* Save it with commas .* and a point in decimals",
    ),
    "a decimal comma": (dict(measured="p0,1,T,36,6\n" + MEASURED), "line 2: expected 4 cells; received 5. Decimals"),
    "a decimal comma in quotes": (dict(measured=MEASURED + 'p0,1,T,"36,6"\n'), r"line 82: .*\(decimals need a point\)"),
    "an underscore": (dict(measured=MEASURED + "p0,1,HR,1_0\n"), "line 82: expected a number as value; received '1_0'"),
    "75 minutes": (dict(measured=MEASURED + "p0,12:75,HR,80\n"), "line 82: expected a number or HH:MM as time"),
    "half an hour before": (dict(measured=MEASURED + "p0,-0:30,HR,80\n"), "line 82: .* HH:MM as time; .*'-0:30'"),
    "two spellings": (
        dict(measured=MEASURED + "p0,1,hr,80\n"),
        "m.csv, line 82: expected one spelling of each variable; received hr, in line 2 HR",
    ),
    "a negative age": (dict(measured=MEASURED + "p0,0,Age,-1\n"), "line 82: expected a number of at least 0 as value"),
    "an outcome that is a count": (dict(ended=ENDED.replace("p3,1", "p3,5000000000")), "line 5: expected a whole"),
    "one value of a patient, in a wrong unit": (
        dict(measured=MEASURED.replace("p1,0,HR,71\np1,2.5,HR,73.5\n", "p1,0,HR,71000\n"), step=0.0),
        "m.csv, line 4: expected a measurement in its usual unit of each patient; of p1 there is only HR 71000",
    ),
    "infinity": (dict(measured=MEASURED + "p0,1,HR,inf\n"), "line 82: expected a finite number as value"),
    "a negative time": (dict(measured=MEASURED + "p0,-1,HR,80\n"), "line 82: .* at least 0 as time; received -1"),
    "an empty patient": (dict(measured=MEASURED + ",1,HR,80\n"), "line 82: expected a patient; received an empty"),
    "one class only": (dict(ended=ENDED.replace(",1", ",0")), "expected patients with and without the outcome"),
    "too few patients": (dict(fold_count=8), "at least 24 patients of each outcome for 8 folds; outcome 0 has 20"),
    "a patient without measurements": (dict(ended=ENDED + "p99,0\n"), "outcomes.csv, line 42: patient p99 has no meas"),
    "a patient without outcome": (dict(ended=ENDED[5:]), "m.csv, line 2: patient p0 has no outcome in"),
    "a patient twice": (dict(ended=ENDED + "p0,0\n"), "outcomes.csv, line 42: patient p0 is already in"),
    "half an outcome": (dict(ended=ENDED.replace("p3,1", "p3,0.5")), "line 5: expected a whole number as outcome"),
    "times without intervals": (
        dict(ends="patient,outcome,time\n", ended=ENDED.replace("\n", ",9\n")),
        "--interval: the outcomes of .* have times; received --interval 0",
    ),
    "measured after the end": (
        dict(ends="patient,outcome,time\n", ended=ENDED.replace("\n", ",2\n"), interval=1.0),
        "m.csv, line 3: patient p0 is measured at 2.5, after the end at 2",
    ),
    "seconds for hours": (
        dict(measured=MEASURED + "p0,172800,HR,80\n", window=0.0),
        "m.csv: expected at most 10,000 steps; times up to 172801 make 172,801 of 1 each. Choose a wider --step",
    ),
    "nothing in the window": (
        dict(measured=MEASURED.replace("p1,0,", "p1,30,").replace("p1,2.5,", "p1,31,")),
        "m.csv, line 4: patient p1 has no measurement up to --window 24",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_right_is_named_with_its_line_and_stays_as_it_was(name, tmp_path):
    changes, expected = BAD[name]
    missing = "header" in changes and changes["header"] is None
    config = own(tmp_path, **({} if missing else changes))
    if missing:
        config = dataclasses.replace(config, outcomes=str(tmp_path / "none.csv"))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match=expected) as error:
        data.load(config)
    assert "\n" not in str(error.value)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_files_that_are_not_there_are_refused_before_a_backend_starts(tmp_path):
    config = own(tmp_path)
    options.Train(config=config).check()
    for changes, missing in (
        (dict(outcomes="nope.csv"), "patient, outcome. There is none at nope.csv"),
        (dict(test="nope.csv"), "patient, time, variable, value. There is none at nope.csv"),
        (dict(valid=config.data, valid_outcomes="nope.csv"), "patient, outcome. There is none at nope.csv"),
    ):
        with pytest.raises(MissingFileError, match=missing):
            options.Train(config=dataclasses.replace(config, **changes)).check()


def test_a_cell_that_is_far_too_long_is_named_with_its_line(tmp_path):
    (tmp_path / "m.csv").write_text(f"{HEADER}a,1,HR,70\na,2,{'x' * 2_000},70\n")
    before = csv.field_size_limit(1_000)
    try:
        with pytest.raises(InputError, match=r"m\.csv, line 3: field larger than field limit"):
            list(reading.read_rows(tmp_path / "m.csv", reading.MEASUREMENTS))
    finally:
        csv.field_size_limit(before)


def test_an_unknown_source_names_the_known_ones():
    known = "--data: expected builtin, physionet2012, pbc2, or the path of a CSV file; received physionet. Did you mean"
    with pytest.raises(MissingFileError, match=known):
        data.load(dataclasses.replace(DEFAULT, data="physionet"))


def test_what_may_be_right_is_read_with_a_note(tmp_path, capsys):
    odd = "p0,1,HR,80\np0,2.5,HR,71\np1,1,HR,80000\np2,1,HR,0\np3,1,HR,90000\np0,2.5,HR,72.5\n"
    whole = data.load(own(tmp_path, MEASURED + odd))
    notes = capsys.readouterr().err.splitlines()
    source, (low, high) = f"note: {tmp_path / 'm.csv'}", whole.info["scale"]["limits"][0]
    assert notes == [
        f"{source}, line 82: time 1 of p0 after 2.5: rows sorted by the time since the start (also lines 84, 85, 86)",
        f"{source}, line 83: HR twice at 2.5, 72.5 and 71: the mean is used (also line 87)",
        f"{source}, line 84: HR 80000 is outside {low:.4g} to {high:.4g} (its unit?): left out (also line 86)",
        f"{source}: zeros are kept: HR 1. Remove those that mean a missing value.",
    ]
    value = np.concatenate([part.table.value for part in everybody(whole)])
    assert value.max() < 80000 and len(value) == 84 and 0 in value
    assert whole.info["left_out"] == {"HR": 2}


def kept(values):
    """Those of one variable's values that are not taken for a wrong unit."""
    found = records.table("t", ["a"] * len(values), range(len(values)), ["x"] * len(values), values)
    return records.within(found, np.array(scaling.Scale.fit(found).limits)).value


SIZES = st.floats(1e-9, 1e9)
POSITIVE = st.builds(  # of a variable that varies as a vital sign or a laboratory value does
    lambda seed, unit, spread: unit * np.exp(spread * np.random.default_rng(seed).normal(size=999)),
    st.integers(0, 2**32 - 1),
    SIZES,
    st.floats(0.01, 0.5),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(SIZES, SIZES.map(lambda x: -x), st.just(0.0)), min_size=1, max_size=20), st.data())
def test_no_value_of_a_variable_that_takes_few_is_left_out_however_rare_it_is(few, draw):
    usual = draw.draw(st.sampled_from(few))
    values = np.array([usual] * 970 + few)
    np.testing.assert_array_equal(kept(values), values)


@pytest.mark.parametrize("usual, rare", [(0, 1), (1, 0), (15, 3), (0, 1e-4), (1e-4, 0)])
def test_a_flag_that_few_have_keeps_both_its_values_and_they_are_told_apart(usual, rare):
    for share in (0.03, 0.005):
        values = np.where(np.arange(1000) < 1000 * share, rare, usual).astype(float)
        np.testing.assert_array_equal(kept(values), values)
        found = records.table("t", ["a"] * 1000, range(1000), ["x"] * 1000, values)
        scaled = scaling.Scale.fit(found).apply(np.array([[usual], [rare]]))
        assert abs(scaled[0, 0] - scaled[1, 0]) > 2


@settings(deadline=None, max_examples=60)
@given(POSITIVE, st.integers(1, 500))
def test_zeros_are_never_left_out(values, zeros):
    values[:zeros] = 0
    np.testing.assert_array_equal(kept(values), values)


@settings(deadline=None, max_examples=60)
@given(POSITIVE, st.integers(0, 998), st.sampled_from([1000.0, 0.001]), st.integers(0, 300))
def test_one_value_in_a_thousandfold_unit_is_left_out_and_nothing_else(values, which, factor, zeros):
    wrong = np.append(values, values[which] * factor)
    wrong = np.append(wrong, np.zeros(zeros))
    np.testing.assert_array_equal(kept(wrong), np.append(values, np.zeros(zeros)))
    np.testing.assert_array_equal(kept(-wrong), -kept(wrong))


@settings(deadline=None, max_examples=60)
@given(POSITIVE, st.lists(SIZES, max_size=8), st.lists(SIZES, max_size=8), st.sampled_from([2.0**-30, 0.5, 2.0**10]))
def test_limits_are_monotone_and_follow_the_unit(values, more, below, unit):
    values = np.concatenate([values, more, -np.array(below)])
    left = kept(values)
    for sizes, all_sizes in ((left[left > 0], values[values > 0]), (-left[left < 0], -values[values < 0])):
        if len(sizes):  # what is between two that are kept is kept
            between = (all_sizes >= sizes.min()) & (all_sizes <= sizes.max())
            assert between.sum() == len(sizes)
    np.testing.assert_array_equal(kept(values * unit), left * unit)


def test_an_extreme_with_others_on_the_way_to_it_is_kept_and_one_apart_is_not():
    usual = np.random.default_rng(1).normal(12, 2, 5000)
    few_cells = np.array([3.0, 1.0, 0.4, 0.2, 0.1])  # of white cells: the gravest sign of the variable
    np.testing.assert_array_equal(kept(np.append(usual, few_cells)), np.append(usual, few_cells))
    assert 0.1 not in kept(np.append(usual, 0.1))


@pytest.mark.parametrize("codes", [[-1.0], [-1.0, -9.0]])
def test_a_code_for_unknown_is_left_out_and_a_sign_that_is_meant_is_not(codes):
    usual = np.random.default_rng(1).normal(12, 2, 900)
    np.testing.assert_array_equal(kept(np.append(usual, codes * 50)), usual)
    pressures = np.append(usual, [-0.5, -1.0, -1.5, -2.0])
    np.testing.assert_array_equal(kept(pressures), pressures)


def test_what_training_patients_always_had_as_zero_or_never_had_has_no_limits():
    found = records.table("t", ["a", "b", "b"], [0, 0, 1], ["x", "x", "y"], [0.0, 7000.0, 7.0])
    scale = scaling.Scale.fit(found.kept(np.array([0])))
    again = scaling.Scale(**json.loads(json.dumps(dataclasses.asdict(scale))))
    assert len(records.within(found, np.array(again.limits)).value) == 3
    assert np.isfinite(again.apply(np.array([7000.0, 7.0]))).all()


@settings(deadline=None, max_examples=60)
@given(POSITIVE, st.integers(0, 2), st.lists(st.floats(0, 15), min_size=2, max_size=9))
def test_no_two_extremes_become_the_same_number(values, kind, beyond):
    values = [values, values - np.median(values), -values][kind]
    found = records.table("t", ["a"] * 999, range(999), ["x"] * 999, values)
    scale = scaling.Scale.fit(found)
    beyond = np.unique(np.round(beyond, 1))
    extremes = np.sort(np.concatenate([values.max() + beyond * values.std(), values.min() - beyond * values.std()]))
    extremes = extremes[extremes > 0] if kind == 0 else extremes
    scaled = scale.apply(extremes[:, None])[:, 0]
    assert (np.diff(scaled[np.append(True, np.diff(extremes) > 0.05 * values.std())]) > 0).all()
    assert np.abs(scaled).max() < 6


@settings(deadline=None, max_examples=30)
@given(POSITIVE, st.sampled_from([1.0, 0.005]), st.sampled_from([2.0**-40, 2.0**10]))
def test_what_is_read_does_not_depend_on_the_unit(values, share, unit):
    values[int(share * len(values)) :] = 0  # a drug that few are given
    column = records.table("t", ["a"] * 999, range(999), ["x"] * 999, values)
    other = dataclasses.replace(column, value=column.value * unit)
    one, two = (scaling.Scale.fit(found).apply(found.value[:, None]) for found in (column, other))
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-4)


def test_a_value_out_of_its_limits_is_named_with_its_variable_and_every_line():
    lines = list(range(2, 17))
    found = records.table("p.csv", ["a"] * 15, range(15), ["x"] * 13 + ["y", "z"], [9e9] * 14 + [1.0], lines)
    left = records.within(found, np.array([[1, 2]] * 3))
    assert left.value.tolist() == [1.0]
    assert left.notes == (
        "p.csv, line 2: x 9e+09 is outside 1 to 2 (its unit?): left out (13 such lines)",
        "p.csv, line 15: y 9e+09 is outside 1 to 2 (its unit?): left out",
    )
    few = records.within(found.kept(np.arange(3)), np.array([[1, 2]] * 3))
    assert few.notes == ("p.csv, line 2: x 9e+09 is outside 1 to 2 (its unit?): left out (also lines 3, 4)",)


def test_a_heart_that_stands_still_is_monitored_and_a_wrong_unit_is_named():
    from apps.healthcare_monitoring.monitor import check

    info = {"variables": ["HR"], "step": 1.0, "window": 24.0}
    limits = types.SimpleNamespace(limits=[(3.0, 2400.0)])
    watch = types.SimpleNamespace(info=info, predictor=limits, columns={"HR": 0}, curve=[], at=None)
    assert check({"time": "1", "variable": "HR", "value": "0"}, watch, "line 3") == (1.0, "HR", 0.0)
    with pytest.raises(InputError, match="line 4: HR 2 is outside 3 to 2400"):
        check({"time": "1", "variable": "HR", "value": "2"}, watch, "line 4")


def test_what_a_feed_reads_of_a_row_a_table_reads_too(tmp_path):
    """A kind becomes a variable of its own, an outcome, an age below 0 and an empty name are refused."""
    variables = ["Age", "ICUType 3"]
    rows = {"ICUType,3": ("ICUType 3", 3.0), "Age,70": ("Age", 70.0), "Age,-1": "at least 0", "died,1": "an outcome",
            ",5": "expected a variable", "ICUType,9": "unknown variable 'ICUType 9'"}  # fmt: skip
    for row, expected in rows.items():
        (tmp_path / "p.csv").write_text(f"time,variable,value\n1,{row}\n")
        cells = dict(zip(("time", "variable", "value"), ["1", *row.split(",")], strict=True))
        if isinstance(expected, tuple):
            assert reading.measurement(cells, "line 2", variables) == (1.0, *expected)
            found = reading.read_measurements(tmp_path / "p.csv", variables)
            assert (variables[found.what[0]], found.value[0]) == expected
            continue
        for read in (
            lambda cells=cells: reading.measurement(cells, "line 2", variables),
            lambda: reading.read_measurements(tmp_path / "p.csv", variables),
        ):
            with pytest.raises(InputError, match=f"line 2: .*{expected}"):
                read()


def test_a_stay_shorter_than_the_window_has_no_steps_after_its_last_measurement(tmp_path):
    whole = data.load(own(tmp_path, MEASURED.replace("p1,2.5", "p1,7.5")))
    for part in (whole.train, whole.valid, whole.test):
        expected = [8 if name == "p1" else 3 for name in part.patients]
        assert part.steps.lengths.tolist() == expected and part.steps.inputs.shape[1] == 24
        assert ((part.weights[..., 0] > 0).sum(axis=1) == expected).all()
        np.testing.assert_allclose(part.weights.sum(axis=(1, 2)), 1, rtol=1e-6)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_change_nothing(ends, mark, tmp_path):
    text = (mark + HEADER + MEASURED).replace("\n", ends)
    (tmp_path / "m.csv").write_bytes(text.encode())
    found = reading.read_measurements(tmp_path / "m.csv")
    assert len(found.value) == 80 and found.lines.tolist()[:2] == [2, 3] and found.variables == ("HR",)
    assert reading.header([f"{mark}Time", "variable", "value"], ["time"], "standard input")[0] == "time"


def test_a_number_of_the_row_is_not_taken_for_the_patient_where_there_is_one():
    assert reading.header(["id", "patient"], ["patient"], "t") == ["id", "patient"]
    assert reading.header(["RecordID"], ["patient"], "t") == ["patient"]


def test_what_is_measured_after_the_window_is_counted_and_teaches_nothing(tmp_path, capsys):
    expected = data.load(own(tmp_path)).info["scale"]
    assert not capsys.readouterr().err
    late = data.load(own(tmp_path, MEASURED + "p0,30,HR,170\np1,31,HR,171\n"))
    assert "m.csv: 2 measurements after 24 are not read" in capsys.readouterr().err
    assert late.info["scale"] == expected


def test_a_time_may_be_written_in_hours_and_minutes(tmp_path):
    (tmp_path / "132539.txt").write_text("Time,Parameter,Value\n00:00,RecordID,132539\n01:30,HR,80\n")
    found = reading.read_measurements(tmp_path / "132539.txt", ["HR"])
    assert found.patients == ("132539",) and found.when.tolist() == [1.5] and found.lines.tolist() == [3]


@pytest.mark.parametrize(
    "rows, refused",
    [
        ("22:00,HR,1 23:30,HR,2 00:30,HR,3", 4),
        ("00:00,Age,1 22:00,HR,1 23:30,Temp,2 00:30,HR,3 06:00,Temp,3", 5),
        ("22:00,HR,1 23:30,HR,2 24:30,HR,3", None),
        ("22:00,HR,1 23:30,HR,2 00:30,Temp,3 22:30,Temp,4", None),  # by variable
        ("22:00,HR,1 00:30,HR,2 12:00,HR,3 11:00,HR,4", None),  # in no order
        ("23,HR,1 23:30,HR,2 0.5,HR,3", None),
        ("23:30,HR,1 00:30,HR,2 36:00,HR,3", None),
    ],
)
def test_times_of_the_day_that_pass_midnight_are_refused_and_not_put_in_the_first_hour(rows, refused, tmp_path):
    (tmp_path / "p.csv").write_text("time,variable,value\n" + rows.replace(" ", "\n") + "\n")
    if not refused:
        assert len(reading.read_measurements(tmp_path / "p.csv", ["HR", "Temp"]).when) == rows.count(" ") + 1
        return
    said = f"p.csv, line {refused}: times are hours since .* after 23:30 comes 00:30: write 24:30, or sort the rows"
    with pytest.raises(InputError, match=said):
        reading.read_measurements(tmp_path / "p.csv", ["HR", "Temp", "Age"])


def test_an_unknown_variable_is_named_with_the_nearest_known_one(tmp_path):
    (tmp_path / "p.csv").write_text("time,variable,value\n1,Lactat,2\n")
    with pytest.raises(InputError, match=r"p.csv, line 2: unknown variable 'Lactat'; did you mean Lactate\?"):
        reading.read_measurements(tmp_path / "p.csv", ["HR", "Lactate"])
    with pytest.raises(InputError, match=r"line 9: unknown variable 'hr'; did you mean HR\?"):
        reading.known_variable("hr", ["HR", "Lactate"], "line 9")


# Other patients: to validate and test on, or to evaluate a run on


def test_patients_of_their_own_files_validate_and_test_and_nothing_is_learned_of_them(tmp_path, capsys):
    alone = own(tmp_path)
    others = {}
    for part, first in (("valid", 200), ("test", 300)):
        rows = [f"q{n},{hour},HR,{40 + n}\n" for n in range(first, first + 4) for hour in (0, 2.5)]
        (tmp_path / part).mkdir()
        others[part] = str(tmp_path / part / "m.csv")
        (tmp_path / part / "m.csv").write_text(HEADER + "".join(rows))
        (tmp_path / part / "outcomes.csv").write_text(
            "patient,outcome\n" + "".join(f"q{n},{n % 2}\n" for n in range(first, first + 4))
        )
    whole = data.load(dataclasses.replace(alone, **others))
    assert whole.train.patients == tuple(name for name, _ in LIVES)
    assert (whole.valid.patients[0], whole.test.patients[0]) == ("q200", "q300") and len(whole.test.patients) == 4
    assert whole.test.outcomes.label.tolist() == [0, 1, 0, 1] and whole.info["ranges"] == [[70.0, 111.5]]
    assert whole.info["split"] == (
        f"by patient: train 40, valid 4, test 4, valid from {others['valid']}, test from {others['test']}"
    )
    moved = dataclasses.replace(alone, valid=others["valid"])
    assert len(data.load(moved).train.patients) == 32 and len(data.load(moved).test.patients) == 8
    with pytest.raises(InputError, match="m.csv, line 2: patient p0 is one of .* too; expected other patients"):
        data.load(dataclasses.replace(alone, test=alone.data))


def test_another_cohort_is_read_with_what_the_run_learned_or_refused_by_file_and_line(tmp_path, capsys):
    config = own(tmp_path)
    whole = data.load(config)
    other, ends = tmp_path / "other.csv", tmp_path / "ends.csv"

    def cohort(rows, died):
        other.write_text(HEADER + rows)
        ends.write_text("patient,outcome\n" + died)
        return data.tested_on(whole, str(other), str(ends), config)

    found = cohort("a,1,HR,90\nb,30,HR,90\nc,1,HR,90000\nd,2,HR,80\n", "a,1\nb,0\nc,0\nd,0\n")
    assert found.test.patients == ("a", "d") and found.info is whole.info and found.train is whole.train
    noted = capsys.readouterr().err
    assert f"{other}, line 4: HR 90000 is outside" in noted and "1 measurement after 24" in noted
    assert f"{other}: patients without a readable measurement are left out: 2" in noted
    refused = {
        ("a,1,Pulse,90\n", "a,1\n"): f"{other}, line 2: unknown variable 'Pulse'; known are HR",
        ("a,1,hr,90\n", "a,1\n"): f"{other}, line 2: unknown variable 'hr'; did you mean HR?",
        ("a,1,HR,90\n", "a,2\n"): f"{ends}, line 2: expected a whole number as outcome, 0 = none to 1, as the run was",
        ("a,1,HR,90\n", "a,1\n"): f"{other}: expected patients with and without outcome 1; all 1 are alike",
    }
    for (rows, died), line in refused.items():
        with pytest.raises(InputError) as error:
            cohort(rows, died)
        assert str(error.value).startswith(line)
    ends.write_text("patient,outcome,time\na,1,9\n")
    with pytest.raises(InputError, match="its outcomes have times; those that the run was trained on have none"):
        data.tested_on(whole, str(other), str(ends), config)


def learned(**ranges):
    """What a run knows of variables with these (lowest, highest) values, of which the middle is the mean."""
    spans = [(0, 0) if span is None else span for span in ranges.values()]
    scale = {
        "shift": [None] * len(spans),
        "centre": [(low + high) / 2 for low, high in spans],
        "spread": [(high - low) / 6 or 1.0 for low, high in spans],
    }
    known = [None if span is None else [float(end) for end in span] for span in ranges.values()]
    return {"variables": list(ranges), "ranges": known, "scale": scale, "fewest": 2}


def test_a_patient_unlike_those_trained_on_is_said_to_be(tmp_path):
    info = learned(HR=(40, 180), Age=(18, 90), Lactate=None)
    people, names, values = "aabbcdd", ["HR", "Age", "HR", "Age", "HR", "HR", "Lactate"], [70, 60, 250, 10, 70, 70, 2]
    said = unlike.unlike(records.table("t", people, [0.0] * 7, names, values, variables=info["variables"]), info)
    assert said == [
        "",
        "HR 250 (learned from them: 40 to 180); Age 10 (learned from them: 18 to 90)",
        "based on 1 of 3 variables",
        "Lactate 2 (none of them had it)",
    ]
    whole = data.load(own(tmp_path, MEASURED.replace("p0,0,HR,70\n", "p0,0,HR,70\np0,0,T,37\n")))
    assert whole.info["fewest"] == 1 and len(whole.info["ranges"]) == 2


def test_a_value_no_living_patient_has_is_implausible_even_if_a_training_patient_had_it():
    info = learned(HeartRate=(50, 150), Temp=(36, 40), temperature=(96.5, 104.5), Weird=(1.5, 99.5))
    info["ranges"] = [[0.0, 1400.0], [-18.0, 42.0], [90.0, 107.5], [1.5, 900.5]]  # errors among the training values
    said = {
        (value, n): unlike.out_of_range(value, n, info) for value, n in ((1400, 0), (0, 0), (3, 1), (98.6, 2), (99, 3))
    }
    assert list(said.values()) == ["(plausible: 20 to 300)"] * 2 + ["(plausible: 20 to 45)", "", ""]
    assert unlike.known_range(2, info) is None  # a temperature in Fahrenheit
    assert unlike.out_of_range(800, 3, info) == "(learned from them: 1.5 to 148.5)"
    assert unlike.out_of_range(180, 0, info) == "" and "(learned from them: " in unlike.out_of_range(250, 0, info)


def test_every_grade_and_flag_of_a_training_patient_is_within_the_learned_range_however_rare():
    info = learned(Flag=(0, 1), Grade=(0, 4))
    info["scale"] |= {"centre": [0.01, 0.05], "spread": [0.1, 0.2]}
    assert unlike.out_of_range(1, 0, info) == unlike.out_of_range(4, 1, info) == ""
    assert unlike.out_of_range(5, 1, info) == "(learned from them: 0 to 4)"


def test_of_simulated_stays_no_percentage_is_over_100_and_a_score_is_whole():
    found, _ = simulate.stays(1)
    saturation, coma = (found.value[found.what == found.variables.index(name)] for name in ("SpO2", "GCS"))
    assert saturation.max() <= 100 and coma.min() >= 3 and coma.max() <= 15 and (coma % 1 == 0).all()


# Figures


def test_figures_of_risks_are_those_of_scikit_learn_with_equal_risks_too():
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    random = np.random.default_rng(1)
    for count in (3, 50, 800):
        risks, happened = random.random(count).round(1), np.arange(count) % 3 == 0
        assert metrics.auroc(happened, risks) == pytest.approx(roc_auc_score(happened, risks))
        assert metrics.auprc(happened, risks) == pytest.approx(average_precision_score(happened, risks))
        assert metrics.brier(happened, risks) == pytest.approx(brier_score_loss(happened, risks))
    assert np.isnan([metrics.auroc(happened | True, risks), metrics.auprc(happened & False, risks)]).all()


def test_figures_in_time_are_those_of_scikit_survival_and_of_patients_drawn_twice():
    from sksurv.metrics import brier_score, concordance_index_ipcw
    from sksurv.util import Surv

    random = np.random.default_rng(1)
    until, event, risks = random.integers(1, 20, 80) / 2, random.random(80) < 0.6, random.random(80).round(2)
    known = Surv.from_arrays(event, until)
    for time in (2.0, 5.0, 8.0):
        horizon = survival._horizon(known, known, np.arange(80), time)
        judged = survival._judged(horizon, risks)
        for rows in (np.arange(80), random.integers(0, 80, 80)):
            times = np.bincount(rows, minlength=80)
            concordance = concordance_index_ipcw(known, known[rows], risks[rows], tau=time)[0]
            assert survival._concordance(horizon, judged, times.astype(np.float32)) == pytest.approx(concordance)
            error = brier_score(known, known[rows], 1 - risks[rows, None], time)[1][0]
            assert survival._brier(horizon, judged, times) == pytest.approx(error)
    assert survival._horizon(known, known[:0], np.arange(0), 2.0) is None


@pytest.fixture(scope="module")
def physionet():
    return sources.physionet(*(fetch.fetch(file) for file in CATALOGUE["physionet2012"]))


@pytest.mark.data
def test_physionet_is_read_as_published(physionet):
    found, outcomes = physionet
    assert len(found.patients) == 4000 and outcomes.label.sum() == 554
    assert len(found.variables) == 44 and not {name.lower() for name in found.variables} & reading.FORBIDDEN
    assert found.when.max() <= 48 and found.value.min() != -1
    one = found.among(np.array([found.patients.index("132539")]))
    assert (one.when[one.what == found.variables.index("HR")][:2] * 60).round().tolist() == [7, 37]


@pytest.mark.data
def test_of_physionet_no_sign_is_left_out_and_what_is_left_out_is_said(physionet):
    found, outcomes = physionet
    training = data.split(outcomes.label, RECIPES["physionet2012"])["train"]
    read, _, lost = data.in_usual_units(found, training)
    urine = read.value[read.what == read.variables.index("Urine")]
    assert (urine == 0).sum() == 2856  # no urine at all
    assert not {"Urine", "WBC", "HR", "SysABP", "MAP", "GCS", "MechVent"} & set(lost)
    assert len(found.value) - len(read.value) == sum(lost.values()) and "Weight" in lost
    for name, count in lost.items():
        (note,) = (note for note in read.notes if note.startswith(f"physionet2012: {name} "))
        assert "is outside" in note and (count == 1 or f"({count:,} such values)" in note)


@pytest.mark.data
def test_pbc2_is_read_as_published_and_no_visit_lies_after_the_end():
    found, outcomes = sources.pbc(fetch.fetch(CATALOGUE["pbc2"][0]))
    assert len(found.patients) == 312 and np.bincount(outcomes.label).tolist() == [143, 140, 29]
    assert len(found.variables) == 15 and not set(found.variables) & set(sources.PBC_OUTCOMES)
    assert (found.when <= outcomes.until[found.who]).all()
    loaded = data.load(RECIPES["pbc2"])
    assert sum(part.steps.lengths.sum() for part in (loaded.train, loaded.valid, loaded.test)) == 1945
