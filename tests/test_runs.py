"""The run folder."""

import dataclasses
import errno
import importlib
import json
import os
import platform
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from shared import InputError, MissingFileError, files, machine, runs
from shared.fingerprint import fingerprint

CONFIG = {"data": "builtin", "arch": "lstm", "units": 8, "shape": [1, 2]}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def begun(*words, info=None, **options):
    """A run whose folder is there."""
    run = runs.start(*words, **options)
    run.begin(info or {})
    return run


@dataclasses.dataclass(frozen=True)
class Some:
    """The settings of an app."""

    data: str = "builtin"
    units: int = 8


def tiny_model():
    import keras

    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


def hidden(path: Path) -> list[str]:
    """Whatever was left under a temporary name."""
    return sorted(p.name for p in path.rglob(".*"))


def test_runs_lie_in_gallery_runs_or_else_in_the_working_folder(folder, monkeypatch):
    assert runs.root() == folder
    monkeypatch.delenv("GALLERY_RUNS")
    assert runs.root() == Path("runs")


def test_the_same_settings_open_the_same_run(folder):
    run = begun("app", CONFIG, info={"vocabulary": ["a", "ä"]})
    again = runs.start("app", dict(reversed(CONFIG.items())))
    assert again == run
    assert again.info() == {"vocabulary": ["a", "ä"]}


def test_nothing_is_written_before_a_run_begins(folder):
    run = runs.start("app", CONFIG, name="mine")
    assert not folder.exists() and not run.finished()
    run.begin({"labels": ["no"]})
    assert runs.start("app", CONFIG, name="mine", command="python -m apps.app train").info() == {"labels": ["no"]}


def test_data_that_has_changed_is_refused_and_the_run_stays_as_it_is(folder):
    run = begun("app", CONFIG, name="mine", info={"vocabulary": ["a"], "fingerprint": "1"})
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    with pytest.raises(
        InputError, match=r"data has changed since .*mine was started \(fingerprint, vocabulary\).*--fresh"
    ):
        begun("app", CONFIG, name="mine", info={"vocabulary": ["a", "b"], "fingerprint": "2"})
    run.check({"vocabulary": ["a"]})
    with pytest.raises(InputError, match=r"\(scaler\)"):
        run.check({"scaler": 1.0})
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before


def test_what_was_learned_is_compared_as_json_keeps_it():
    begun("app", CONFIG, name="mine", info={"shape": (1, 2)})
    begun("app", CONFIG, name="mine", info={"shape": (1, 2)})


def test_a_run_is_finished_once_it_has_figures():
    run = begun("app", CONFIG, name="mine")
    assert not run.finished()
    run.save_metrics([])
    assert run.finished() and not runs.start("app", CONFIG, name="mine", fresh=True).finished()


def test_a_run_of_another_format_is_refused_in_one_line():
    run = begun("app", CONFIG, name="mine")
    old = json.loads(run.file("config.json").read_text())
    del old["format"]
    run.file("config.json").write_text(json.dumps(old))
    for action in (lambda: runs.find("app", "mine"), lambda: runs.start("app", CONFIG, name="mine")):
        with pytest.raises(InputError, match="format 2. .*mine has format 1: another version .*--fresh"):
            action()


def test_a_fingerprint_is_of_the_content_with_its_order_and_borders():
    nests = [
        ["ab", "c"],
        ["a", "bc"],
        ["abc"],
        ["c", "ab"],
        [["ab"], "c"],
        [b"ab", "c"],
        [1, 2],
        [12],
        [1.0, 2.0],
        [None, True],
        [np.array([1, 2])],
        [np.array([1, 2], np.int32)],
        [np.array([[1, 2]])],
        [{"a": 1}],
        [Some()],
        [Some(units=9)],
    ]
    assert len({fingerprint(nest) for nest in nests}) == len(nests)
    assert fingerprint(np.arange(4)[::2]) == fingerprint(np.array([0, 2]))


def test_an_info_of_another_version_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("GALLERY_RUNS", str(tmp_path))
    run = begun("toy", {"seed": 1}, info={"vocabulary": []})
    assert run.info().get("summaries") is None
    with pytest.raises(InputError, match="info.json holds no 'summaries': another version of the app wrote it"):
        run.info()["summaries"]


def test_settings_come_back_as_the_apps_own_and_those_of_another_version_are_named(tmp_path):
    run = runs.Run(tmp_path, "toy", {"data": "ptb"})
    assert run.settings(Some) == Some("ptb", 8)
    newer = runs.Run(tmp_path, "toy", {"data": "ptb", "widths": [1, 2]})
    with pytest.raises(InputError, match=r"config.json has settings this version does not know: widths\. Train"):
        newer.settings(Some)


def test_a_default_name_shows_data_and_architecture_and_differs_with_any_setting():
    names = [begun("app", CONFIG | {"units": units}).path.name for units in (8, 9)]
    assert all(name.startswith("builtin-lstm-") for name in names)
    assert len(set(names)) == 2


def test_a_default_name_of_own_data_is_the_files_name_made_safe():
    run = begun("app", CONFIG | {"data": "/home/someone/my text!.txt"})
    assert run.path.name.startswith("my-text-.txt-lstm-")


def test_tuples_and_paths_in_the_settings_are_the_same_after_reading_them_back():
    config = CONFIG | {"shape": (1, 2), "file": Path("a/b")}
    begun("app", config, name="run")
    assert runs.start("app", config, name="run").config == runs.start("app", config, name="run").config


def test_other_settings_under_the_same_name_are_refused_and_named():
    begun("app", CONFIG, name="mine")
    with pytest.raises(
        InputError, match=r"started with other settings: dropout \(not set\) \(now 0.1\), units 8 \(now 9\)"
    ):
        begun("app", CONFIG | {"units": 9, "dropout": 0.1}, name="mine")


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "a b", "-x/../y"])
def test_a_name_that_leaves_the_folder_is_refused(name):
    with pytest.raises(InputError, match="--run: expected a name of letters"):
        begun("app", CONFIG, name=name)


def test_fresh_starts_over_and_leaves_nothing_of_the_old_run(folder):
    old = begun("app", CONFIG, name="mine")
    old.file("model.keras").write_bytes(b"old")
    new = begun("app", CONFIG | {"units": 9}, name="mine", fresh=True)
    assert new.path == old.path and new.config["units"] == 9
    assert not new.file("model.keras").exists()
    assert hidden(folder) == []


def test_a_start_that_was_killed_leaves_no_half_run(folder, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", die)
        with pytest.raises(KeyboardInterrupt):
            begun("app", CONFIG, name="mine")
    assert not (folder / "app/mine").exists()
    assert begun("app", CONFIG, name="mine").path.is_dir()
    assert hidden(folder) == []


def test_find_takes_the_newest_trained_run_or_the_named_one_and_says_which(capsys):
    for name in ("first", "second", "untrained"):
        run = begun("app", CONFIG, name=name)
        if name != "untrained":
            run.save_metrics([])
            run.file("model.keras").write_bytes(b"")
            os.utime(run.file("model.keras"), (time.time(), 1e9 if name == "first" else 2e9))
    assert runs.find("app").path.name == "second"
    assert capsys.readouterr().err == "Using second, the newest of 2 runs; --run NAME chooses another.\n"
    assert runs.find("app", "first").config == CONFIG
    assert capsys.readouterr().err == ""


def test_a_finished_run_answers_rather_than_a_newer_one_that_was_stopped(capsys):
    for name in ("done", "stopped"):
        run = begun("app", CONFIG, name=name)
        run.file("model.keras").write_bytes(b"")
        os.utime(run.file("model.keras"), (time.time(), 1e9 if name == "done" else 2e9))
    (runs.root() / "app" / "done" / "metrics.json").write_text("[]")
    assert runs.find("app").path.name == "done"
    assert capsys.readouterr().err == "Using done, the newest finished one of 2 runs; --run NAME chooses another.\n"


def test_find_says_that_a_run_is_not_finished_and_how_to_go_on(capsys):
    train = "python -m apps.app train --units 8"
    for run in (begun("app", CONFIG, command=train), begun("app", CONFIG, name="mine", command=train)):
        run.file("model.keras").write_bytes(b"")
    runs.find("app", "mine")
    assert capsys.readouterr().err.endswith(
        f"using its best model so far, not calibrated. Resume it with: {train} --run mine\n"
    )
    runs.find("app", runs.start("app", CONFIG).path.name)
    assert capsys.readouterr().err.endswith(f"Resume it with: {train}\n")
    run.save_metrics([])
    runs.find("app", "mine")
    assert capsys.readouterr().err == ""


def test_find_without_any_run_says_how_to_make_one():
    with pytest.raises(MissingFileError, match="no trained run in .* yet.*python -m apps.app train"):
        runs.find("app")
    begun("app", CONFIG, name="mine", command="python -m apps.app train --units 8")
    with pytest.raises(
        MissingFileError, match="no trained run .* Resume mine: python -m apps.app train --units 8 --run mine$"
    ):
        runs.find("app")


def test_a_run_without_a_name_is_refused_and_not_taken_for_the_folder_of_all_runs():
    begun("app", CONFIG, name="mine")
    for ask in (lambda: runs.find("app", ""), lambda: runs.find("app", "."), lambda: runs.start("app", CONFIG, "")):
        with pytest.raises(InputError, match="--run: expected a name of letters"):
            ask()


def test_find_of_a_missing_run_lists_those_there_are():
    with pytest.raises(MissingFileError, match="no runs there yet"):
        runs.find("app", "mine")
    begun("app", CONFIG, name="other")
    with pytest.raises(MissingFileError, match="There is no run .*mine. Runs there: other."):
        runs.find("app", "mine")


def test_a_further_network_of_an_app_has_runs_of_its_own():
    begun("app/talk", CONFIG, name="mine").file("model.keras").write_bytes(b"")
    assert runs.find("app/talk").path == runs.root() / "app/talk/mine"
    with pytest.raises(MissingFileError, match="Train one: python -m apps.app train$"):
        runs.find("app")
    with pytest.raises(MissingFileError, match="There are no runs there yet. Or make one: python -m apps.app train$"):
        runs.find("app", "other")
    with pytest.raises(MissingFileError, match="Runs there: mine. Or make one: python -m apps.app train-talk$"):
        runs.find("app/talk", "other")


def test_a_run_of_another_app_is_named_as_such():
    run = begun("chatbot", CONFIG, name="mine")
    with pytest.raises(InputError, match="mine is a run of chatbot"):
        runs.find("app", "mine")
    copied = runs.root() / "app/mine"
    copied.mkdir(parents=True)
    (copied / "config.json").write_bytes(run.file("config.json").read_bytes())
    with pytest.raises(InputError, match="Expected a run of app.* is a run of chatbot"):
        runs.find("app", "mine")


def test_a_run_without_a_finished_epoch_says_so():
    begun("app", CONFIG, name="mine", command="python -m apps.app train --units 8")
    with pytest.raises(InputError, match="no model.keras yet: its first epoch is not .* train --units 8 --run mine$"):
        runs.find("app", "mine")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"app": "app"}', "\x00"])
def test_damaged_settings_are_one_clear_error(content):
    run = begun("app", CONFIG, name="mine")
    run.file("config.json").write_text(content)
    for action in (lambda: begun("app", CONFIG, name="mine"), lambda: runs.find("app", "mine")):
        with pytest.raises(InputError, match="config.json is damaged"):
            action()


def test_missing_settings_are_one_clear_error():
    run = begun("app", CONFIG, name="mine")
    run.file("config.json").unlink()
    with pytest.raises(MissingFileError, match="config.json is missing"):
        runs.find("app", "mine")


def test_metrics_and_seconds_come_back():
    run = begun("app", CONFIG)
    run.save_metrics([{"metric": "nats", "value": 0.1 + 0.2}])
    assert run.metrics() == [{"metric": "nats", "value": 0.1 + 0.2}]
    files.write_json(run.file("timing.json"), {"seconds": 1.5})
    assert run.seconds() == 1.5
    run.file("metrics.json").write_text("{}")
    with pytest.raises(InputError, match="expected a JSON list, found dict"):
        run.metrics()


def test_the_environment_holds_versions_and_no_names(folder):
    environment = json.loads(begun("app", CONFIG).file("environment.json").read_text())
    assert environment["versions"]["python"] == platform.python_version()
    assert {"keras", "numpy"} <= set(environment["versions"])
    assert platform.node() not in json.dumps(environment)


def test_the_hardware_is_processors_and_gpus():
    count, rest = machine.hardware().split(" x ", 1)
    assert int(count) == len(os.sched_getaffinity(0))
    assert rest.endswith(", no GPU") or " x " in rest
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    assert ("(AVX-512)" in rest) == ("avx512f" in flags)


def test_gpus_are_counted_by_name(monkeypatch, tmp_path):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\nprintf 'NVIDIA H200\\nNVIDIA H200\\nTesla T4\\n'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert machine.hardware().endswith(", 2 x NVIDIA H200, 1 x Tesla T4")
    driver.write_text("#!/bin/sh\necho no devices; exit 9\n")
    assert machine.hardware().endswith(", no GPU")


def test_a_write_that_fails_keeps_the_old_file_and_leaves_no_rest(tmp_path):
    path = tmp_path / "file.json"
    files.write_json(path, [1])

    with pytest.raises(OSError, match="No space left"), files.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(temporary))
    assert json.loads(path.read_text()) == [1]
    assert hidden(tmp_path) == []


def test_a_link_stays_and_the_file_that_it_leads_to_is_written(tmp_path):
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link.txt", tmp_path / "there/target.txt"
    link.symlink_to(target)
    for text in ("new", "newer"):
        files.write_text(link, text)
        assert link.is_symlink() and target.read_text() == text


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write_text(pipe, "a,b\n")
    assert os.read(reader, 10) == b"a,b\n" and pipe.is_fifo()
    os.close(reader)


def test_a_long_name_is_written_and_an_error_names_the_path_that_was_given(tmp_path):
    files.write_text(tmp_path / ("x" * 251 + ".csv"), "a")
    with pytest.raises(OSError) as caught:
        files.write_text(tmp_path / "nowhere/x.csv", "a")
    assert caught.value.filename == str(tmp_path / "nowhere/x.csv")


def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "read.csv").write_text("a")
    wrong = {
        tmp_path: "--out: expected the path of a CSV file in a folder that exists; received the folder",
        f"{tmp_path}/new/": "received the folder",
        tmp_path / "nowhere/x.csv": "in a folder that exists; received .*nowhere/x.csv",
        tmp_path / ("x" * 300): "cannot write .*x: File name too long",
        "/proc/x.csv": "cannot write /proc/x.csv: ",
        tmp_path / "read.csv": "expected another file than that of the series",
    }
    for path, line in wrong.items():
        with pytest.raises(InputError, match=line):
            files.check_output(path, "--out", "a CSV file", {"the series": str(tmp_path / "read.csv")})
    for path in (tmp_path / "new.csv", "/dev/null"):
        files.check_output(path, "--out")
    assert [path.name for path in tmp_path.iterdir()] == ["read.csv"]


@pytest.mark.parametrize("name", ["bars/read.csv", "bars/new.csv", "bars/deep/new.csv"])
def test_an_output_inside_the_folder_that_is_read_is_refused(name, tmp_path):
    (tmp_path / "bars/deep").mkdir(parents=True)
    (tmp_path / "bars/read.csv").write_text("a")
    with pytest.raises(InputError, match="--out: expected a file outside the folder of the bars; received"):
        files.check_output(tmp_path / name, "--out", "a CSV file", {"the bars": str(tmp_path / "bars")})
    files.check_output(tmp_path / "new.csv", "--out", "a CSV file", {"the bars": str(tmp_path / "bars")})


def test_a_saved_model_comes_back_with_equal_outputs(folder):
    run = begun("app", CONFIG)
    model = tiny_model()
    run.save_model(model)
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(run.load_model()(x), model(x))
    assert hidden(folder) == []


def test_a_missing_model_is_one_clear_error():
    with pytest.raises(MissingFileError, match="There is no .*model.keras: train this run first"):
        begun("app", CONFIG).load_model()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_cut_model_is_one_clear_error(share):
    run = begun("app", CONFIG)
    run.save_model(tiny_model())
    content = run.file("model.keras").read_bytes()
    run.file("model.keras").write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="model.keras is damaged .*--fresh"):
        run.load_model()


def test_a_model_with_one_altered_byte_is_one_clear_error():
    run = begun("app", CONFIG)
    run.save_model(tiny_model())
    content = bytearray(run.file("model.keras").read_bytes())
    content[len(content) // 2] ^= 255
    run.file("model.keras").write_bytes(content)
    with pytest.raises(InputError, match="model.keras is damaged"):
        run.load_model()


def test_an_archive_that_is_no_model_is_one_clear_error():
    run = begun("app", CONFIG)
    with zipfile.ZipFile(run.file("model.keras"), "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(InputError, match="Cannot load .*model.keras"):
        run.load_model()


def test_a_model_that_carries_code_is_refused(tmp_path):
    import keras

    run = begun("app", CONFIG)
    trace = tmp_path / "trace"
    name = str(trace)
    code = keras.layers.Lambda(lambda x: open(name, "w").close() or x, output_shape=(3,))
    run.save_model(keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), code]))
    trace.unlink(missing_ok=True)
    with pytest.raises(InputError, match="Cannot load .*model.keras"):
        run.load_model()
    assert not trace.exists()


@pytest.mark.slow
def test_a_saved_model_loads_in_a_new_process_without_the_training_code(folder):
    import keras

    from shared.layers import recurrent

    run = begun("app", CONFIG, name="mine")
    model = keras.Sequential([keras.Input((4, 3)), recurrent("mingru", 2)])
    run.save_model(model)
    x = np.ones((2, 4, 3), "float32")
    script = (
        "import shared.layers, sys; assert 'keras' not in sys.modules; import keras, numpy as np; "
        "from shared import runs; "
        "models = [runs.find('app').load_model(), keras.models.load_model(runs.find('app').file('model.keras'))]; "
        "x = np.ones((2, 4, 3), 'float32'); print([np.asarray(model(x)).tolist() for model in models])"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for found in json.loads(done.stdout):
        np.testing.assert_allclose(found, model(x), atol=1e-7)


def test_a_run_that_another_process_trains_is_refused_at_once_and_left_alone(folder):
    begun("app", CONFIG, info={"a": 1}, name="mine").begin({"a": 1})  # the same process may go on
    script = (
        "from shared import runs, InputError\n"
        f"run = runs.start('app', {CONFIG!r}, 'mine', fresh=%s)\n"
        "try:\n    run.begin({'a': 1})\nexcept InputError as error:\n    print(error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    for fresh in (False, True):
        done = subprocess.run([sys.executable, "-c", script % fresh], env=environment, capture_output=True, text=True)
        assert "is being trained by another process" in done.stdout, done.stderr
    assert runs.root().joinpath("app/mine/config.json").exists()


@pytest.mark.parametrize("app", ["speech_recognition", "video_prediction"])
def test_a_picture_that_cannot_be_written_is_refused_before_a_backend_starts(app, monkeypatch):
    options = importlib.import_module(f"apps.{app}.options")
    monkeypatch.setattr(runs, "_found", lambda *_: None)  # there is such a run
    verb = (
        options.Stream(picture="/proc/x.png")
        if app == "video_prediction"
        else options.Predict(("a",), picture="/proc/x.png")
    )
    with pytest.raises(InputError, match="--picture: cannot write /proc/x.png"):
        verb.check()


@dataclasses.dataclass(frozen=True)
class Numbers:
    """Two numbers that a run keeps."""

    low: float
    high: float


def test_numbers_of_a_run_are_read_or_refused_in_one_line(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text('{"low": 0, "high": 0.5}')
    assert runs.read_numbers(path, Numbers) == Numbers(0, 0.5)
    for damaged in (
        '{"low": 0}',
        '{"low": 0, "high": 1, "z": 2}',
        '{"low": 0, "high": "x"}',
        '{"low": 0, "high": null}',
    ):
        path.write_text(damaged)
        with pytest.raises(InputError, match="expected numbers called low, high. Train this run again"):
            runs.read_numbers(path, Numbers)
