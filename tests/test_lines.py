"""Many inputs of one verb: as many answers as lines, and what cannot be read is said with its place."""

import io
import sys
from pathlib import Path

import pytest

from shared import InputError, lines
from shared.lines import Line


@pytest.fixture
def typed(monkeypatch):
    """Gives standard input these bytes."""

    def type_in(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))

    return type_in


def number(text):
    """Reads a number, as the networks' encoders read a text."""
    if not text.strip().isdecimal():
        raise InputError(f"Expected a number. Received: {text!r}")
    return int(text)


def squares(numbers):
    return [n * n for n in numbers]


def test_an_argument_is_the_text_itself_unless_it_names_a_file(tmp_path):
    assert lines.read("not bad at all") == [Line("not bad at all", "")]
    with pytest.raises(InputError, match="There is nothing at .*reviews.txt"):
        lines.read(str(tmp_path / "reviews.txt"))
    with pytest.raises(InputError, match="Received an empty text"):
        lines.read(" \n")


def test_a_folder_is_not_taken_for_a_text(tmp_path):
    with pytest.raises(InputError, match=f"{tmp_path} is a folder"):
        lines.read(str(tmp_path))


def test_a_file_is_split_at_line_feeds_alone_and_keeps_its_blank_lines(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\u2028still one\x0cand still\x85one\r\n\r\nthree\n".encode())
    found = lines.read(str(path))
    assert [line.text for line in found] == ["one\u2028still one\x0cand still\x85one", "", "three"]
    assert found[2].where == f"{path}, line 3"


def test_a_table_is_read_by_its_column_where_there_is_one(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text('stars,review\n5,"good, really"\n1,"bad\nall of it"\n')
    assert [line.text for line in lines.read(str(path), "review")] == ["good, really", "bad\nall of it"]
    with pytest.raises(InputError, match="column 'text'. .*reviews.csv, line 2 has the columns stars, review"):
        lines.read(str(path), "text")


def test_standard_input_keeps_its_lines_and_survives_broken_characters(typed):
    typed(b"one\n\nthr\xffee\xe2\x80\xa8more\n")
    assert [line.text for line in lines.read("-")] == ["one", "", "thr\ufffdee\u2028more"]


def test_there_are_as_many_answers_as_lines_and_bad_ones_are_named(capsys):
    found = [
        Line("2", "a.txt, line 1"),
        Line("", "a.txt, line 2"),
        Line("x", "a.txt, line 3"),
        Line("3", "a.txt, line 4"),
    ]
    answers = [answer for _, answer in lines.answered(found, number, squares)]
    assert answers == [4, None, None, 9]
    assert capsys.readouterr().err == "a.txt, line 3: Expected a number. Received: 'x'\n"


def test_lines_of_which_none_can_be_read_are_an_error_and_blank_ones_are_not():
    with pytest.raises(InputError, match="Expected at least one line that can be answered. Received 2, all refused"):
        lines.answered([Line("x", "a.txt, line 1"), Line("", "line 2"), Line("y", "line 3")], number, squares)
    assert lines.answered([Line("", "a.txt, line 1")], number, squares) == [(Line("", "a.txt, line 1"), None)]


def test_a_single_text_that_cannot_be_read_is_an_error():
    with pytest.raises(InputError, match="Expected a number"):
        lines.answered([Line("x", "")], number, squares)


def test_files_that_cannot_be_used_are_left_out_and_an_error_after_the_others(capsys):
    used = []
    with pytest.raises(InputError, match="Expected files that can be used. Of 3, 1 left out as above"):
        lines.each(["2", "x", "3"], lambda text: used.append(number(text)))
    assert used == [2, 3] and capsys.readouterr().err == "left out: Expected a number. Received: 'x'\n"
    with pytest.raises(InputError, match="Expected at least one file that can be used. Received 2, all left out"):
        lines.each(["x", "y"], number)
    with pytest.raises(InputError, match="Expected a number. Received: 'x'"):
        lines.each(["x"], number)


def test_a_stream_answers_each_line_and_says_how_long_it_took(typed, capsys):
    typed(b"2\n\nx\n3\n")
    lines.stream(lambda text: str(number(text) ** 2))
    said = capsys.readouterr()
    assert said.out == "4\n\n\n9\n"
    assert "Standard input, line 3: Expected a number. Received: 'x'" in said.err
    assert "2 answered: p50" in said.err and "p99" in said.err


def test_a_line_that_is_too_long_for_a_file_or_for_its_error_does_not_end_the_stream(typed, capsys):
    typed(b"x" * 100_000 + b"\nabc\n")

    def answer(text):
        if len(text) > 5:
            raise InputError(f"{text}: expected less")
        return str(Path(text * 1000).stat().st_size)

    lines.stream(answer)
    said = capsys.readouterr()
    assert said.out == "\n\n"
    cut, too_long = said.err.splitlines()[1:]
    assert cut.endswith("x...") and len(cut) < 500
    assert "line 2: [Errno 36] File name too long: 'abcabc" in too_long


def test_a_long_text_is_shown_cut_and_on_one_line():
    assert lines.shown("a\n b") == "a b"
    assert lines.shown("x" * 100, 10) == "xxxxxxx..."


def test_percentiles_are_of_all_times():
    assert lines.percentiles([1.0, 2.0, 3.0]) == (2.0, pytest.approx(2.98))


def test_one_input_alone_is_not_taken_for_a_list_of_them():
    assert lines.several(iter(["a", "b"]), str, "texts") == ["a", "b"]
    for one in ("not bad", b"RIFF", {"bars": 8}):
        with pytest.raises(InputError, match="Expected a list of texts. Received one alone"):
            lines.several(one, str, "texts")


@pytest.mark.parametrize(("given", "said"), [(5, "Received: 5"), (["a", 5], "Received in it: 5")])
def test_inputs_of_another_type_are_refused(given, said):
    with pytest.raises(InputError, match=f"Expected a list of texts. {said}"):
        lines.several(given, str, "texts")
