"""`python -m apps compare`: its plan, what is resumed, the search for learning rates, the table, the engines.

Most trainings here are files that a function writes; those of real networks and of clusters are slow or tried by hand.
"""

import dataclasses
import fcntl
import json
import math
import os
import re
import signal
import stat
import sys
import threading
import types

import numpy as np
import pytest

from apps import charts, engines, leads, measured, planning, ranking, tables, trial
from apps.options import ENGINES, Compare
from apps.trial import DIVERGED, FAILED, FINISHED, STOPPED
from shared import InputError, plots, results
from shared import runs as folders
from shared.files import write_json, write_text
from tests.commands import APPS, run_here

RATE = 0.01  # of the memory probe's recipe


def typed(*words):
    return run_here("apps", "compare", "--app", "memory_probe", *words)


def table(done):
    """The printed table of one app."""
    return done.stdout.split("## ")[1].split("Written to")[0]


def typed_lines(done):
    """The commands that were printed, without comments."""
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


SAVE = plots.save


@pytest.fixture
def runs(monkeypatch, tmp_path):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    return tmp_path


class Trainings:
    """Stands in for the trainings: what each one measures, which ones fail, which ones were started."""

    def __init__(self):
        self.started, self.failures, self.stop_after = [], {}, math.inf
        self.epochs = 2  # of a training that is stopped or fails

    def __call__(self, trial, minutes=0.0):
        if trial.settled(minutes):
            return
        if len(self.started) >= self.stop_after:
            raise KeyboardInterrupt
        self.started.append(trial.name)
        trial.log.parent.mkdir(parents=True, exist_ok=True)
        state, reason = self.failures.get((trial.arch, trial.seed, trial.rate), (FINISHED, ""))
        run = folders.start(trial.app, {"data": "adding", "arch": trial.arch, "seed": trial.seed}, trial.name)
        run.begin({})
        run.file("model.keras").touch()
        if state == FINISHED or self.epochs:
            self.write_history(run, trial)
        if state == FINISHED:
            run.save_metrics([self.record(trial)])
        trial.save_outcome(state=state, reason=reason, seconds=1.0, minutes=minutes, peak_mib=70 + trial.seed)

    def write_history(self, run, trial):
        best = 0.2 + abs(math.log(max(trial.rate, 1e-9) / (3 * RATE))) / 10 if trial.rate else 0.3
        write_text(run.file("history.csv"), f"epoch,loss,val_loss\n1,2,{best + 0.5}\n2,1,{best}\n")
        write_json(run.file("timing.json"), {"seconds": 8.0})

    def record(self, trial):
        arch = {"gru": 0.10, "mingru": 0.20, "lstm": 0.11}[trial.arch]
        return {
            "app": trial.app,
            "arch": trial.arch,
            "data": "adding",
            "split": "test",
            "metric": "mse",
            "options": {},
            "direction": "lower",
            "headline": True,
            "value": arch + 0.01 * trial.seed * (-1) ** len(trial.arch) - (0.05 if trial.rate == RATE / 3 else 0),
            "params": 2000,
            "non_embedding": 2000,
            "baselines": {"always_1": 0.16},
            "ahead": None,
            "minutes": 0.1,
            "command": "python -m apps.memory_probe train --params 2000",
            "details": {"ms_p50": 2.5},
        }


@pytest.fixture
def trainings(runs, monkeypatch):
    made = Trainings()
    monkeypatch.setattr(trial, "carry_out", made)
    monkeypatch.setattr(plots, "save", lambda figure, path: path.touch())
    return made


# The plan


def test_the_commands_are_those_that_are_carried_out():
    shown = run_here("apps", "compare", "--app", "all", "--arch", "lstm", "--params", "1.5M", "--commands")
    lines = typed_lines(shown)
    assert len(lines) == len(APPS) - 1 and all("--params 1500000 --arch lstm --seed 1" in line for line in lines)
    assert "video_prediction lstm: --arch: expected one of" in shown.stderr
    assert re.match(r"python -m apps\.chatbot train --params", lines[0])


@pytest.mark.parametrize(
    "words, said",
    [
        (["--app", "sentiment"], "--app: expected one or more of"),
        (["--app", "translation", "--arch", "lstm", "foo"], "--arch: expected one or more of"),
        (["--app", "translation", "--params", "many"], "--params: expected a number"),
        (["--app", "translation", "--params", "0.4"], "--params: expected a number"),
        (["--app", "translation", "--seeds", "0"], "--seeds: expected at least 1"),
        (["--app", "translation", "--tune", "0"], "--tune: expected at least 1"),
        (["--app", "translation", "--minutes", "-1"], "--minutes: expected at least 0"),
        (["--app", "translation", "--on", "cloud"], "--on"),
        (["--app", "translation", "--resources", "num_gpus=1"], "--resources: expected with --on ray or slurm"),
        (["--app", "translation", "--on", "ray", "--resources", "one gpu"], "expected words NAME=VALUE"),
        (["--app"], "--app: expected one or more of"),
        (["--app", "translation", "--arch"], "--arch: expected one or more of"),
        (["--app", "translation", "--data", "/nowhere.csv"], "There is no /nowhere.csv"),
        (["--app", "translation", "--more=--epochs '3"], "--more: expected options as they are typed"),
        (["--app", "translation", "--more=--epochs 2 --seed=5"], "--more: expected other options than"),
        (["--app", "translation", "--more=--epoch 2"], "--epochs"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused_in_one_line(words, said):
    done = run_here("apps", "compare", *words)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


def test_an_architecture_that_is_named_twice_is_trained_once():
    planned = planning.plan(Compare(app=("memory_probe", "memory_probe"), arch=("gru", "gru")))
    assert [each.arch for cell in planned for each in cell.trials()] == ["gru"]


def test_options_that_only_an_architecture_allows_are_no_error(monkeypatch):
    def train_options(app, words):
        if "gru" not in words:
            raise InputError("--more: expected with --arch gru")
        return types.SimpleNamespace(config=types.SimpleNamespace(learning_rate=RATE))

    monkeypatch.setattr(planning, "train_options", train_options)
    cells = planning.cells("memory_probe", ["gru", "lstm"], ["--more"], Compare(app=("memory_probe",)))
    assert [cell.refused for cell in cells] == ["", "--more: expected with --arch gru"]
    with pytest.raises(InputError, match="expected with --arch gru"):
        planning.cells("memory_probe", ["lstm"], ["--more"], Compare(app=("memory_probe",)))


@pytest.mark.parametrize("count, rates", [(1, (0.003,)), (2, (0.003, 0.001)), (3, (0.003, 0.001, 0.009))])
def test_the_recipe_s_learning_rate_is_tried_first_then_those_around_it(count, rates):
    assert planning.candidates(0.003, count) == rates


# The search for a learning rate


def test_the_rate_that_validates_best_is_used_for_every_seed_whatever_the_test_says(trainings):
    done = typed("--arch", "gru", "mingru", "--seeds", "3", "--tune", "3")
    assert done.returncode == 0, done.stderr
    assert len(trainings.started) == len(set(trainings.started)) == 2 * (3 + 2)
    (cell, _) = planning.plan(Compare(app=("memory_probe",), arch=("gru", "mingru"), seeds=3, tune=3))
    assert cell.rate() == 3 * RATE and {each.rate for each in cell.trials()} == {3 * RATE}
    rows = [line for line in done.stdout.splitlines() if line.startswith("| gru")]
    assert "| 0.03 |" in rows[0] and "3 learning rates tried, best at 0.03 (the highest)" in rows[0]


def test_without_a_search_the_recipe_s_rate_is_the_same_training_as_in_a_search():
    (plain,) = planning.plan(Compare(app=("memory_probe",), arch=("gru",)))
    (searched,) = planning.plan(Compare(app=("memory_probe",), arch=("gru",), tune=3))
    assert plain.trials()[0].name == searched.search()[0].name


def test_a_rate_at_which_training_diverges_is_not_chosen_and_the_row_names_its_log(trainings):
    trainings.failures["gru", 1, 3 * RATE] = DIVERGED, "training has diverged"
    done = typed("--arch", "gru", "--tune", "3")
    assert "| 0.01 |" in done.stdout and "at 0.03: diverged: training has diverged (log memory_probe-" in done.stdout
    again = typed("--arch", "gru", "--tune", "3")
    assert len(trainings.started) == 3 and table(again) == table(done)


def test_the_commands_of_a_search_come_first_and_then_those_of_the_seeds_with_the_rate_found(trainings):
    words = ["--arch", "gru", "--seeds", "2", "--tune", "3"]
    first = typed(*words, "--commands")
    assert len(typed_lines(first)) == 3 and "repeat this command for the other seeds" in first.stderr
    typed("--arch", "gru", "--tune", "3")
    then = typed_lines(typed(*words, "--commands"))
    assert len(then) == 2 and all("--learning-rate 0.03" in line for line in then)


def test_the_commands_are_preceded_by_the_variables_that_they_need(runs, monkeypatch):
    monkeypatch.setenv("GALLERY_DATA", "/data of all")
    shown = typed("--arch", "gru", "--commands", "--more=--recipe smoke").stdout.splitlines()
    assert "# export GALLERY_DATA='/data of all'" in shown and f"# export GALLERY_RUNS={runs}" in shown
    assert shown[0].startswith("# ") and shown[-1].startswith("python -m apps.memory_probe train --recipe smoke")


# Killed, resumed, failed


def test_a_comparison_interrupted_twice_says_how_to_resume_and_gives_the_table_of_an_unbroken_one(
    trainings, runs, monkeypatch
):
    words = ["--arch", "gru", "mingru", "--seeds", "2", "--tune", "3"]
    for trainings.stop_after in (2, 5):
        done = typed(*words)
        assert done.returncode == 130 and "Repeat the command to resume" in done.stderr
    trainings.stop_after = math.inf
    broken = typed(*words)
    assert "3 trainings to do" not in broken.stdout and "5 of 8 done before" in broken.stdout
    assert len(trainings.started) == len(set(trainings.started)) == 8
    monkeypatch.setenv("GALLERY_RUNS", str(runs / "unbroken"))
    assert table(typed(*words)) == table(broken)


def test_sigterm_ends_a_comparison_like_ctrl_c(trainings, monkeypatch):
    monkeypatch.setattr(trainings, "write_history", lambda run, trial: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    done = typed("--arch", "gru")
    assert done.returncode == 130 and "Repeat the command to resume" in done.stderr
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_training_that_fails_is_a_row_with_its_log_and_the_rest_goes_on(trainings):
    trainings.failures["lstm", 1, 0.0] = FAILED, "out of memory"
    trainings.failures["mingru", 2, 0.0] = DIVERGED, "loss is nan | epoch 1"
    done = typed("--arch", "lstm", "mingru", "gru", "convlstm", "--seeds", "2")
    assert done.returncode == 0 and len(trainings.started) == 6
    rows = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("| ")}
    assert re.search(r"1 of 2 seeds failed: out of memory \(log memory_probe-compare-lstm-\w+\.log\)", rows["lstm"])
    assert "1 of 2 seeds diverged: loss is nan / epoch 1" in rows["mingru"]
    assert "not trained: --arch: expected one of" in rows["convlstm"]
    assert "1 of 6 trainings failed. Repeat the command" in done.stdout
    del trainings.failures["lstm", 1, 0.0]
    again = typed("--arch", "lstm", "mingru", "gru", "convlstm", "--seeds", "2")
    assert len(trainings.started) == 7 and "out of memory" not in again.stdout and "diverged" in again.stdout


def test_a_comparison_of_which_nothing_was_trained_does_not_end_well(trainings):
    trainings.failures["gru", 1, 0.0] = FAILED, "no memory left"
    done = typed("--arch", "gru")
    assert done.returncode == 2 and "Every training of memory_probe failed: see the logs" in done.stderr
    assert "failed: no memory left" in done.stdout


def test_a_figure_that_is_not_a_number_is_a_training_that_diverged(trainings, monkeypatch):
    record = trainings.record
    monkeypatch.setattr(trainings, "record", lambda each: record(each) | {"value": math.nan})
    assert "diverged: the figure is nan" in typed("--arch", "gru").stdout


def test_a_training_stopped_at_the_time_limit_has_its_validation_figure_and_a_longer_limit_resumes_it(trainings):
    trainings.failures["gru", 1, 0.0] = STOPPED, ""
    done = typed("--arch", "gru", "mingru", "--minutes", "5")
    row = next(line for line in done.stdout.splitlines() if line.startswith("| gru"))
    assert "| 0.3 |" in row and "stopped: at the time limit after 5 minutes, 2 epochs, not tested" in row
    assert "a longer --minutes resumes them" in done.stdout
    typed("--arch", "gru", "mingru", "--minutes", "5")
    assert len(trainings.started) == 2
    trainings.failures.clear()
    assert "not tested" not in typed("--arch", "gru", "mingru", "--minutes", "6").stdout
    assert len(trainings.started) == 3


def test_a_stop_before_the_first_epoch_has_ended_is_no_failure(trainings, runs):
    trainings.failures["gru", 1, 0.0], trainings.epochs = (STOPPED, ""), 0
    done = typed("--arch", "gru", "--minutes", "0.05")
    assert done.returncode == 0 and not done.stderr and "a longer --minutes resumes them" in done.stdout
    assert "at the time limit after 0.05 minutes, 0 epochs: no validation figure yet" in done.stdout
    trainings.failures["lstm", 1, 0.0] = FAILED, "out of memory"
    done = typed("--arch", "gru", "lstm", "--minutes", "0.05")
    assert done.returncode == 2 and "memory_probe failed or was stopped at the time limit: see" in done.stderr
    assert not list((runs / "compare").glob("memory_probe.*"))


def test_a_table_without_a_figure_leaves_the_last_one_and_its_pictures_as_they_are(trainings, runs):
    typed("--arch", "gru")
    kept = {path: path.read_bytes() for path in (runs / "compare").glob("memory_probe*") if "compare-" not in path.name}
    trainings.failures["lstm", 1, 0.0], trainings.epochs = (FAILED, "out of memory"), 0
    done = typed("--arch", "lstm")
    assert len(kept) == 4 and all(path.read_bytes() == before for path, before in kept.items())
    assert "nothing is written" in done.stdout and "Written to" not in done.stdout


def test_a_new_table_takes_the_pictures_of_the_last_one_away(trainings, runs):
    typed("--arch", "gru")
    trainings.failures["mingru", 1, 0.0] = STOPPED, ""
    done = typed("--arch", "mingru", "--minutes", "5")
    assert "| mingru" in (runs / "compare" / "memory_probe.md").read_text()
    assert not list((runs / "compare").glob("*.png")) and ".png" not in done.stdout


def test_a_run_that_was_deleted_is_trained_again_whatever_its_outcome_says(trainings, runs):
    trainings.failures["gru", 1, 0.0] = DIVERGED, "training has diverged"
    typed("--arch", "gru")
    (path,) = (runs / "memory_probe").iterdir()
    path.rename(runs / "elsewhere")
    typed("--arch", "gru")
    assert len(trainings.started) == 2


def planned(arch="gru"):
    (cell,) = planning.plan(Compare(app=("memory_probe",), arch=(arch,)))
    return cell.trial(1)


def test_a_finished_training_whose_file_has_changed_is_not_taken_into_a_table(runs):
    own, one = runs / "own.csv", planned()
    own.write_text("a")
    run = folders.start(one.app, {"data": str(own)}, one.name)
    run.begin({})
    run.file("model.keras").write_bytes(b"")
    run.save_metrics([])
    trial.check_finished(one)
    own.write_text("b")
    with pytest.raises(InputError, match=f"The data has changed.*runs --delete memory_probe/{one.name}"):
        trial.check_finished(one)


# One training in its own process


@pytest.fixture
def command(monkeypatch, tmp_path, runs):
    """Trainings are this shell script."""

    def made(script):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(path))

    return made


def test_what_a_process_has_said_last_is_the_reason_of_its_failure(command):
    one = planned()
    for status, said in ((2, "data gone"), (1, "KeyError: x")):
        command(f"echo loading; echo 'error: {said}' >&2; exit {status}")
        trial.carry_out(one)
        found = one.outcome()
        assert found["state"] == FAILED and said in found["reason"] and found["peak_mib"] > 0
    assert "data gone" in one.log.read_text()


def test_a_training_is_stopped_at_the_time_limit(command):
    command("exec sleep 600")
    trial.carry_out(planned(), minutes=1e-4)
    assert planned().outcome()["state"] == STOPPED and planned().outcome()["minutes"] == 1e-4


def save_position(path, **position):
    text = json.dumps(position).encode()
    np.savez(path / "checkpoint.npz", position=np.frombuffer(text, np.uint8), weights=np.zeros(3))


def test_a_training_that_is_only_being_evaluated_is_not_stopped_at_the_time_limit(runs):
    one = planned()
    folders.start(one.app, {"epochs": 5, "patience": 2}, one.name).begin({})
    assert not trial.trained(one)
    for epoch, wait, done in ((4, 1, False), (5, 1, True), (4, 2, True)):
        save_position(one.path, epoch=epoch, wait=wait)
        assert trial.trained(one) == done


def free(one):
    """Whether no process holds the lock of a training."""
    with one.log.open("ab") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_ctrl_c_ends_the_training_too(command, monkeypatch):
    command("exec sleep 600")

    def interrupted(*_):
        assert not free(planned())  # the process holds it
        raise KeyboardInterrupt

    monkeypatch.setattr(trial.os, "wait4", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trial.carry_out(planned())
    assert free(planned())


def test_a_training_left_by_a_killed_comparison_is_waited_for_and_not_started_again(runs, monkeypatch, capsys):
    one, locked = planned(), threading.Event()
    one.log.parent.mkdir()
    log = one.log.open("ab")
    fcntl.flock(log, fcntl.LOCK_EX)  # as the process that was left does

    def flock(file, how, real=fcntl.flock):
        try:
            real(file, how)
        except BlockingIOError:
            locked.set()
            raise

    monkeypatch.setattr(trial.fcntl, "flock", flock)
    monkeypatch.setattr(trial.subprocess, "Popen", None)  # starting a process would be an error
    waiting = threading.Thread(target=trial.carry_out, args=(one,))
    waiting.start()
    locked.wait()
    folders.start(one.app, {"data": "adding"}, one.name).begin({})
    write_json(one.path / "metrics.json", [])
    log.close()
    waiting.join()
    assert "still being trained by another process" in capsys.readouterr().out and one.outcome() == {}


@pytest.mark.parametrize(
    "status, limit, said, state, reason",
    [
        (0, False, "", FAILED, "crashed with status 0"),
        (130, True, "Stopped in epoch 1", STOPPED, ""),
        (-15, True, "", STOPPED, ""),
        (2, True, "error: no data", FAILED, "no data"),
        (130, False, "Stopped in epoch 1", FAILED, "interrupted by a signal"),
        (2, False, "x\nerror: The loss is nan: training has diverged. Try", DIVERGED, "The loss is nan"),
        (1, False, "ResourceExhaustedError: OOM\n[[node]]", FAILED, "out of memory"),
        (1, False, "MemoryError", FAILED, "out of memory"),
        (-9, False, "epoch 1", FAILED, "killed by signal 9, most often out of memory"),
        (-11, False, "", FAILED, "killed by signal 11"),
        (1, False, "Traceback\nValueError: x", FAILED, "crashed with status 1: ValueError: x"),
    ],
)
def test_a_training_that_ended_is_judged_by_status_and_output(status, limit, said, state, reason):
    found = trial.judged(status, False, limit, said)
    assert found[0] == state and found[1].startswith(reason)
    assert trial.judged(status, True, limit, said) == (FINISHED, "")


# The table and the pictures


def figure(value, seed=1, arch="gru", direction="higher", ahead=None):
    record = {"value": value, "direction": direction, "ahead": ahead}
    return measured.Measured(trial.Trial("toy", arch, seed, "", ()), record, (), None, None, None)


def seeds(values, **more):
    return [figure(value, seed, **more) for seed, value in enumerate(values, 1)]


def test_a_lead_inside_the_interval_of_the_seeds_is_no_difference():
    clear = ranking.lead(seeds([0.5, 0.52, 0.51]), seeds([0.8, 0.82, 0.81]))
    assert clear.value == pytest.approx(-0.3) and clear.high < 0 and clear.probability == 0
    unclear = ranking.lead(seeds([0.5, 0.7]), seeds([0.52, 0.71]))
    assert unclear.low < 0 < unclear.high and 0 < unclear.probability < 0.5
    assert ranking.said(unclear).startswith("no difference (") and ranking.said(clear).startswith("-0.3 (")
    assert ranking.lead(seeds([0.2], direction="lower"), seeds([0.1], direction="lower")).value == pytest.approx(-0.1)
    assert ranking.said(ranking.lead(seeds([0.4]), seeds([0.5]))) == "-0.1, one seed"


def test_the_choice_of_test_items_counts_in_a_lead_where_the_records_have_its_interval():
    few = ranking.lead(seeds([0.4], ahead=[-0.2, 0.2]), seeds([0.5], ahead=[-0.2, 0.2]))
    many = ranking.lead(seeds([0.4], ahead=[-0.02, 0.02]), seeds([0.5], ahead=[-0.02, 0.02]))
    assert few.low < 0 < few.high and many.high < 0
    half = 0.02 * math.sqrt(2)  # of two independent intervals
    assert many.high - many.low == pytest.approx(2 * half, rel=0.1)


def resampled(right, seed, **more):
    """A training with these right answers (items,), and its accuracy on the resamples of the items."""
    figures = np.array(right)[np.random.default_rng(0).integers(0, len(right), (1000, len(right)))].mean(axis=1)
    kept = {"items": len(right), "figures": figures.tolist()}
    return dataclasses.replace(figure(float(np.mean(right)), seed, **more), resampled=kept)


def test_a_lead_is_compared_on_the_same_resamples_of_the_test_items_where_the_runs_have_kept_them():
    best, mine = np.arange(400) < 300, np.arange(400) < 290
    wide = {"ahead": [-0.05, 0.05]}  # of either over a baseline, whose errors are other ones
    found = ranking.lead([resampled(mine, 1, **wide)], [resampled(best, 1, **wide)])
    # The best alone is right on 10 of 400 items, so the deviation is that of their share.
    half = 1.96 * math.sqrt(0.025 * 0.975 / 400)
    assert (found.low, found.high) == pytest.approx((-0.025 - half, -0.025 + half), abs=0.004)
    assert found.probability < 0.01 and found.over == (leads.ITEMS,)
    other = resampled(best[:200], 1, **wide)  # tested on other items
    assert ranking.lead([resampled(mine, 1, **wide)], [other]).over == (leads.ABOUT,)


def test_the_table_says_what_the_intervals_of_the_leads_are_over():
    pair = [resampled(np.arange(50) < n, seed) for n in (30, 40) for seed in (1, 2)]
    both = ranking.Row("gru", value=0.6, lead=ranking.lead(pair[:2], pair[2:]))
    alone = ranking.Row("lru", value=0.5, lead=ranking.lead(seeds([0.5, 0.6]), seeds([0.6, 0.8])))
    assert both.lead.over == (leads.SEEDS, leads.ITEMS) and alone.lead.over == (leads.SEEDS,)
    assert ranking.interval([both]) == f"95 % interval over {leads.SEEDS} and {leads.ITEMS}"
    assert ranking.interval([both, alone]).endswith(f"{leads.ITEMS} (gru); over {leads.SEEDS} (lru)")
    assert "without an interval" in ranking.interval([ranking.Row("gru", lead=ranking.Lead(0.1))])


def test_seeds_are_compared_in_pairs():
    shifted = ranking.lead(seeds([0.1, 0.5, 0.9]), seeds([0.2, 0.6, 1.0]))
    assert shifted.high < 0  # unpaired, the spread of the seeds would hide it


def test_the_table_has_all_that_is_known_and_the_baselines(trainings, runs, monkeypatch):
    monkeypatch.setattr(plots, "save", SAVE)
    done = typed("--arch", "gru", "mingru", "--seeds", "2", "--params", "1900")
    lines = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    header = [cell.strip() for cell in lines[0].split("|")]
    rows = {
        line.split("|")[1].strip(): dict(zip(header, map(str.strip, line.split("|")), strict=True)) for line in lines
    }
    gru, baseline = rows["gru"], rows["*always_1* (baseline)"]
    assert gru["parameters"] == "2,000" and gru["peak MiB"] == "72" and gru["ms per answer"] == "2.5"
    assert gru["test mse (lower is better)"] == "0.085 ± 0.00707" and baseline["test mse (lower is better)"] == "0.16"
    assert gru["lead over the best"] == "best" and "P 0" in rows["mingru"]["lead over the best"]
    assert gru["val_loss"] == "0.3" and gru["seconds of training to 0.3"] == "8" and "learning rate" not in header
    assert gru["notes"] == "no width meets 1,900 parameters: +5.3%"
    kept = runs / "compare"
    assert (kept / "memory_probe.md").read_text().strip() == "## " + table(done).strip()
    assert [row["arch"] for row in json.loads((kept / "memory_probe.json").read_text())] == ["gru", "mingru"]
    assert all(path.stat().st_size > 5000 for path in kept.glob("*.png"))
    assert {path.name for path in kept.glob("*.png")} == {"memory_probe-seconds.png", "memory_probe-parameters.png"}


def compared(*rows, found=None, size=0, quality=None, **record):
    record = {"data": "adding", "split": "test", "metric": "mse", "direction": "lower", "baselines": {}} | record
    return ranking.Comparison("toy", list(rows), found or {}, record, "val_loss", quality, size)


def test_the_table_says_so_if_a_baseline_is_better_than_every_network():
    rows, better = [ranking.Row("gru", value=0.3), ranking.Row("lstm", value=0.4)], {"mean": 0.5, "ridge": 0.2}
    assert "No network is better than ridge (0.2), the best" in ranking.table(compared(*rows, baselines=better))
    assert "No network" not in ranking.table(compared(*rows, baselines={"mean": 0.5, "ridge": 0.35}))
    higher = compared(*rows, baselines={"mean": 0.35}, direction="higher")
    assert "No network" not in ranking.table(higher)


def test_the_table_says_that_a_lead_of_one_seed_does_not_show_what_another_would_change():
    rows = [ranking.Row("gru", value=0.3, seeds=2), ranking.Row("lstm", value=0.4, seeds=1)]
    assert "one seed, a lead does not show" in ranking.table(compared(*rows))
    assert "one seed, a lead" not in ranking.table(compared(rows[0], dataclasses.replace(rows[1], seeds=3)))


def test_the_table_says_that_the_sizes_differ_unless_one_was_asked_for():
    rows = [ranking.Row("gru", value=0.3, non_embedding=1000), ranking.Row("lstm", value=0.4, non_embedding=1500)]
    assert "The sizes differ, by up to 50%: --params makes them equal." in ranking.table(compared(*rows))
    assert "The sizes differ" not in ranking.table(compared(*rows, size=1500))
    assert "The sizes differ" not in ranking.table(compared(rows[0], dataclasses.replace(rows[1], non_embedding=1005)))


def test_the_table_says_of_which_trainings_the_memory_is_not_known():
    row = ranking.Row("gru", value=0.3, peak_mib=70)
    assert "Peak MiB is only known" in ranking.table(compared(row, ranking.Row("lstm", value=0.4)))
    assert "Peak MiB is only known" not in ranking.table(compared(row))


def test_the_headline_is_recorded_as_the_mean_of_the_seeds_with_the_command_of_all(trainings, monkeypatch):
    kept = []
    monkeypatch.setattr(results, "keep", lambda records, folder: kept.extend(records))
    done = typed("--arch", "gru", "--seeds", "2", "--record")
    assert done.returncode == 0, done.stderr
    assert [(record["value"], record["n"], record["over"]) for record in kept] == [(0.085, 2, "seeds")]
    assert kept[0]["command"] == "python -m apps.memory_probe train --params 2000 --seeds 2"
    assert kept[0]["budget"] is None


def test_equal_sizes_are_recorded_with_their_budget_and_the_command_that_repeats_them(trainings, monkeypatch):
    kept = []
    monkeypatch.setattr(results, "keep", lambda records, folder: kept.extend(records))
    words = ["--arch", "gru", "lstm", "--params", "2k", "--seeds", "2", "--more=--epochs 3"]
    assert typed(*words, "--record").returncode == 0
    told = "python -m apps compare --app memory_probe --arch {} --params 2k '--more=--epochs 3' --seeds 2"
    assert [(r["budget"], r["command"]) for r in kept] == [(2000, told.format(arch)) for arch in ("gru", "lstm")]


def test_the_picture_of_all_has_data_on_which_four_architectures_of_one_size_were_compared(monkeypatch, tmp_path):
    (tmp_path / "apps" / "toy").mkdir(parents=True)
    more = {"data": "text", "task": {}, "headline": True, "budget": None}
    archs = {"tcn": (0.1, 60_000), "gru": (0.3, 60_100), "elman": (0.2, 59_900)}
    some = [skilled(**{arch: value})[0] | more | {"non_embedding": size} for arch, (value, size) in archs.items()]
    others = [r | {"budget": 60_000} for r in some] + [some[0] | {"arch": "lru", "budget": 60_000}]
    large = some[0] | {"arch": "lstm", "non_embedding": 5000}
    missed = [r | {"budget": 20_000} for r in others]
    write_json(tmp_path / "apps" / "toy" / "results.json", [*some, large, *others, *missed])
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    found = tables.skills()
    assert list(found) == ["toy, text, 60k"]  # in the other groups sizes differ, or are not those asked for
    assert list(found["toy, text, 60k"]) == ["elman", "gru", "lru", "tcn"]


def test_the_seconds_to_a_quality_are_those_of_the_first_epoch_that_reaches_it(trainings):
    assert "| 4 |" in typed("--arch", "gru", "--quality", "0.8").stdout.replace("  ", " ")
    assert [ranking.short(seconds) for seconds in (0.01234, 12.34, 1234.5, None)] == ["0.0123", "12.3", "1,234", ""]
    assert measured.seconds_to([(1.0, 0.2), (2.0, 0.6)], 0.5, "higher") == 2.0
    assert measured.seconds_to([(1.0, 0.2), (2.0, 0.6)], 0.7, "higher") is None


def test_steps_are_counted_over_all_epochs(tmp_path):
    save_position(tmp_path, epoch=2, steps=10, step=3)
    assert measured.steps(tmp_path / "checkpoint.npz") == (23, 10) and measured.steps(tmp_path / "no.npz") == (0, 0)


@pytest.mark.parametrize("epochs, known", [(1, None), (5, None), (6, 100.0)])
def test_the_time_of_a_step_is_left_out_if_compilation_was_most_of_it(trainings, epochs, known):
    one = planned()
    trainings(one)
    save_position(one.path, epoch=epochs, steps=10, step=0)
    write_json(one.path / "timing.json", {"seconds": epochs * 1.0})
    assert measured.measured(one).step_ms == known


def curves(**figures):
    """One training of each architecture: its test score and its validation score after each epoch."""
    found = {}
    for arch, (value, *valid) in figures.items():
        record = {"value": value, "direction": "higher", "metric": "f1", "baselines": {"mean": 0.5, "svm": 0.6}}
        found[arch] = [dataclasses.replace(figure(value), record=record, curve=tuple(enumerate(valid, 1)))]
    return found


def test_the_seconds_are_counted_to_a_figure_that_is_no_worse_than_the_best_baseline():
    found = curves(gru=(0.8, 0.5, 0.82), lstm=(0.7, 0.5, 0.71), elman=(0.4, 0.3, 0.41))
    assert measured.target(found, "val_f1", "higher") == 0.71  # not 0.41, which the baseline surpasses
    assert measured.target(curves(gru=(0.61, 0.59)), "val_f1", "higher") == 0.6
    assert measured.target(curves(gru=(0.61, 0.9)), "val_loss", "lower") == 0.9  # no figure of the baseline
    assert measured.target(curves(elman=(0.4, 0.3)), "val_f1", "higher") is None


def test_without_a_network_that_reaches_the_figure_there_is_no_column_of_seconds_and_the_reason_is_given():
    row = ranking.Row("gru", value=0.4)
    for quality, said in (
        (None, "no network is better than the best baseline"),
        (0.6, "has reached val_loss 0.6 with each seed."),
    ):
        text = ranking.table(compared(row, found=curves(gru=(0.4, 0.3)), quality=quality))
        assert said in text and "| seconds" not in text


def test_a_run_of_several_networks_validates_by_their_mean(tmp_path):
    for part, value in (("refit_1", 0.2), ("refit_2", 0.4)):
        (tmp_path / part).mkdir()
        (tmp_path / part / "history.csv").write_text(f"epoch,val_loss,val_f1\n1,{value},1\n2,{value + 1},{value}\n")
    assert measured.best_validation(tmp_path, None) == pytest.approx(0.3)
    assert measured.best_validation(tmp_path, {"metric": "f1", "direction": "higher"}) == 1


def skilled(direction="lower", **values):
    """Records with these values, of which the best baseline has 0.2."""
    return [
        {"arch": arch, "value": value, "direction": direction, "baselines": {"a": 0.2}}
        for arch, value in values.items()
    ]


def test_the_skill_is_the_lead_over_the_best_baseline_as_a_fraction_of_it(tmp_path):
    first, second = charts.skills(skilled(gru=0.1, lstm=0.3)), charts.skills(skilled("higher", convgru=0.05))
    assert first == {"gru": pytest.approx(0.5), "lstm": pytest.approx(-0.5)}
    assert second == {"gru": pytest.approx(-0.75)}
    assert charts.skills([skilled(gru=0.1)[0] | {"baselines": {}}]) == {}
    assert "| chat | -75% |  |" in charts.skill_table({"toy": first, "chat": second})
    charts.heat_map({"toy": first, "chat": second}, tmp_path / "skill.png")
    assert (tmp_path / "skill.png").stat().st_size > 1000


@pytest.mark.parametrize("archs", [("gru",), ("gru", "lstm", "elman", "mingru")])
def test_the_heat_map_shows_its_whole_title_and_a_scale_in_percent(monkeypatch, archs):
    drawn = []
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    charts.heat_map({"toy": charts.skills(skilled(**dict.fromkeys(archs, 0.1)))}, None)
    (shown,) = drawn
    shown.draw_without_rendering()
    (title,), scale = shown.texts, shown.axes[1]
    box = title.get_window_extent()
    assert "lead over the best baseline" in title.get_text() and box.x0 >= 0 and box.x1 <= shown.bbox.width
    assert "100%" in [label.get_text() for label in scale.get_yticklabels()]


def test_trainings_of_one_epoch_have_no_curve_to_draw(tmp_path):
    one, two = compared(found=curves(gru=(0.4, 0.3))), compared(found=curves(gru=(0.4, 0.3, 0.5)))
    assert not charts.against_seconds(one, tmp_path / "one.png") and not (tmp_path / "one.png").exists()
    assert charts.against_seconds(two, tmp_path / "two.png") and (tmp_path / "two.png").exists()


# Engines


def test_every_engine_that_the_options_name_exists():
    assert set(engines.ENGINES) == set(ENGINES)


def test_an_engine_whose_package_is_missing_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    done = typed("--on", "ray")
    assert done.returncode == 2 and "python -m pip install -r apps/requirements-cluster.txt" in done.stderr


def test_what_a_trial_gets_is_parsed_into_numbers_and_texts():
    assert engines.parsed("num_gpus=1 memory=0.5 slurm_partition=gpu") == {
        "num_gpus": 1,
        "memory": 0.5,
        "slurm_partition": "gpu",
    }


class Ray(types.ModuleType):
    """As much of Ray as is used; the task of `lost` is lost, and tasks end in the reverse order."""

    class exceptions:
        class RayError(Exception):
            pass

    def __init__(self, lost):
        super().__init__("ray")
        self.lost, self.cancelled, self.options = lost, [], {}

    def init(self, **_):
        pass

    def shutdown(self):
        pass

    def remote(self, **options):
        self.options = options
        return lambda function: types.SimpleNamespace(remote=lambda one: (function, one))

    def wait(self, references, num_returns=1, timeout=None):
        return references[-num_returns:], references[:-num_returns]

    def get(self, reference):
        function, one = reference
        if one.arch == self.lost:
            raise self.exceptions.RayError("the node died\nat noon")
        function(one)

    def cancel(self, reference):
        self.cancelled.append(reference[1].arch)


@pytest.fixture
def ray(monkeypatch):
    library = Ray(lost="mingru")
    monkeypatch.setitem(sys.modules, "ray", library)
    return library


def test_trials_are_ray_tasks_that_are_repeated_and_one_that_is_lost_is_a_row(trainings, ray):
    done = typed("--arch", "gru", "mingru", "lstm", "--on", "ray", "--resources", "num_gpus=1")
    assert done.returncode == 0 and len(trainings.started) == 2 and ray.options == {"max_retries": -1, "num_gpus": 1}
    assert "failed: lost by Ray: the node died (log" in done.stdout and not ray.cancelled


def test_ctrl_c_cancels_the_ray_tasks_that_are_left(trainings, ray):
    trainings.stop_after = 1
    done = typed("--arch", "gru", "mingru", "lstm", "--on", "ray")
    assert done.returncode == 130 and ray.cancelled == ["gru"]


# Real networks


@pytest.mark.slow
def test_architectures_are_trained_once_and_compared_at_equal_size(runs, monkeypatch):
    started = []

    def train(one, minutes):
        started.append(one.name)
        done = run_here(f"apps.{one.app}", *one.words)
        state = FINISHED if done.returncode == 0 else FAILED
        one.log.parent.mkdir(exist_ok=True)
        one.save_outcome(state=state, reason=done.stderr.strip(), seconds=1.0, minutes=minutes, peak_mib=7)

    monkeypatch.setattr(trial, "carry_out", train)
    small = ["--params", "2k", "--more=--recipe smoke --epochs 1 --steps-per-epoch 2"]
    words = ["--arch", "gru", "mingru", "convlstm", "--seeds", "2", *small]
    done = typed(*words)
    assert done.returncode == 0, done.stderr
    rows = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("| ")}
    assert {"gru", "mingru", "convlstm", "*always_1* (baseline)"} <= set(rows)
    sizes = [int(rows[arch].split("|")[2].replace(",", "")) for arch in ("gru", "mingru")]
    assert all(abs(size - 2000) < 200 for size in sizes)
    assert "±" in rows["gru"] and "expected one of" in rows["convlstm"]
    assert len(started) == 4
    assert table(typed(*words)) == table(done) and len(started) == 4  # nothing is trained twice
