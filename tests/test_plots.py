"""Pictures of a training."""

import matplotlib.pyplot
import numpy as np
import pytest
from matplotlib.image import imread
from scipy.stats import binomtest

from shared import InputError, plots

HISTORY = [{"epoch": n, "loss": 2.0 / n, "val_loss": 2.5 / n} for n in (1, 2, 3)]


def drawn_figure(monkeypatch, tmp_path, history=HISTORY, metric="loss"):
    """The figure that `learning_curves` hands to the file."""
    kept = []
    monkeypatch.setattr(plots, "save", lambda figure, path: kept.append(figure))
    plots.learning_curves(history, tmp_path / "curves.png", metric, "nats per character")
    return kept[0]


def test_both_curves_are_drawn_as_they_are(monkeypatch, tmp_path):
    (axes,) = drawn_figure(monkeypatch, tmp_path).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert lines == {
        "training": [[row["epoch"], row["loss"]] for row in HISTORY],
        "validation": [[row["epoch"], row["val_loss"]] for row in HISTORY],
    }
    assert axes.get_xlabel() == "epoch" and axes.get_ylabel() == "loss"
    assert axes.get_title() == "nats per character"


@pytest.mark.parametrize("mode, best", [("min", [2, 0.5]), ("max", [3, 0.9])])
def test_the_first_of_the_best_validations_is_marked(mode, best, monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    history = [{"epoch": n, "f1": 1.0, "val_f1": value} for n, value in enumerate((0.7, 0.5, 0.9, 0.5, 0.9), 1)]
    plots.learning_curves(history, tmp_path / "curves.png", "f1", "title", mode)
    (mark,) = figures[0].axes[0].collections
    assert mark.get_offsets().tolist() == [best] and mark.get_label() == "best validation"


def test_without_validation_one_curve_is_drawn(monkeypatch, tmp_path):
    (axes,) = drawn_figure(monkeypatch, tmp_path, [{"epoch": 1, "loss": 2.0}]).axes
    assert [line.get_label() for line in axes.lines] == ["training"] and not axes.collections


def test_the_picture_is_written_whole_and_pyplot_keeps_nothing(tmp_path):
    path = tmp_path / "curves.png"
    plots.learning_curves(HISTORY, path, "loss", "nats per character")
    assert imread(path).shape == (480, 840, 4)  # 4 x 7 inches at 120 dots
    assert [p.name for p in tmp_path.iterdir()] == ["curves.png"]
    assert matplotlib.pyplot.get_fignums() == []


@pytest.mark.parametrize("history, found", [(HISTORY, "epoch, loss, val_loss"), ([], "no epochs")])
def test_an_unknown_figure_is_refused(tmp_path, history, found):
    with pytest.raises(InputError, match=rf"history \({found}\)\. Received: bleu"):
        plots.learning_curves(history, tmp_path / "curves.png", "bleu", "title")


def test_a_text_of_the_user_s_is_drawn_as_it_is_and_readable_on_every_colour(monkeypatch, tmp_path):
    kept = []
    monkeypatch.setattr(plots, "save", lambda figure, path: kept.append(figure))
    plots.text_heat_map(["a", "b"], [0.0, 9.0], tmp_path / "a.png", "bits")
    assert [letter.get_color() for letter in kept[0].axes[0].texts] == ["black", "white"]
    figure, _ = plots.new_figure("$x^^y$")
    figure.draw_without_rendering()  # as mathematics it cannot be read


def test_a_reliability_point_of_few_rows_has_a_wide_interval_even_at_a_share_of_1(monkeypatch):
    shares, counts = np.array([1.0, 1.0, 0.5, 0.0]), np.array([3, 300, 3, 3])
    low, high = plots.share_interval(shares, counts)
    expected = [binomtest(round(s * n), n).proportion_ci(method="wilson") for s, n in ((1, 3), (1, 300), (0, 3))]
    np.testing.assert_allclose([low[[0, 1, 3]], high[[0, 1, 3]]], np.array(expected).T, atol=1e-4)
    assert high[0] - low[0] > 0.5 > 0.05 > high[1] - low[1]
    _, axes = plots.new_figure("")
    plots.observed_shares(axes, [0.1, 0.2, 0.3, 0.4], shares, counts, "accuracy")
    (bars,) = axes.containers
    drawn = [segment[:, 1].tolist() for segment in bars.lines[2][0].get_segments()]
    np.testing.assert_allclose(drawn, np.array([low, high]).T, atol=1e-9)


def test_distributions_are_shares_of_each_split_as_histograms_or_as_bars(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    lengths = plots.Panel("lengths", "words", {"train": [1, 1, 1, 2], "test": [2], "valid": []}, 2, "read")
    labels = plots.Panel("labels", "label", {"train": ["$a", "$a", "b", "b", "b"], "test": ["b"]})
    plots.distributions([lengths, labels], tmp_path / "data.png", "two splits")
    left, right = figures[0].axes
    steps = {patch.get_label(): patch.get_xy()[:, 1].max() for patch in left.patches}
    assert steps == {"train": 75, "test": 100}
    assert left.get_xlabel() == "words" and [line.get_label() for line in left.lines] == ["read"]
    assert [bar.get_width() for bar in right.patches] == [60, 40, 100, 0]
    assert [tick.get_text() for tick in right.get_yticklabels()] == ["b", r"\$a"]


def test_what_lies_beyond_the_axis_of_a_distribution_is_said(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(plots, "save", lambda figure, path: figures.append(figure))
    many = {"train": [*range(1000), 1e6], "test": [float("nan")] * 3}
    plots.distributions([plots.Panel("values", "metres", many)], tmp_path / "data.png", "")
    (axes,) = figures[0].axes
    assert axes.get_xlabel() == "metres\n(the outermost bars include all values beyond)" and axes.get_xlim()[1] < 1e4
