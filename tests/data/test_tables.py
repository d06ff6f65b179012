"""Rows of CSV, TSV and JSONL files: nothing is swallowed, and what is wrong is named with its line."""

import pytest

from shared import InputError, MissingFileError
from shared.data import tables


def read(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [row for row, _ in tables.rows(path)]


def test_a_quotation_mark_in_a_tsv_is_a_character_and_swallows_nothing(tmp_path):
    rows = [f'"oh well {n}\tnegative' for n in range(6)]
    found = read(tmp_path / "a.tsv", "\n".join(["text\tlabel", *rows]) + "\n")
    assert [row["text"] for row in found] == [f'"oh well {n}' for n in range(6)]


def test_csv_cells_hold_commas_quotes_and_line_ends(tmp_path):
    found = read(tmp_path / "a.csv", 'text,label\r\n"a, ""b""\nc",yes\r\n')
    assert found == [{"text": 'a, "b"\nc', "label": "yes"}]


def test_other_line_ends_stay_inside_of_cells(tmp_path):
    text = "one\u2028two\x85three\x0cfour"
    for name, sign in (("a.tsv", "\t"), ("a.csv", ",")):
        assert read(tmp_path / name, f"text{sign}label\n{text}{sign}yes\n") == [{"text": text, "label": "yes"}]
    assert read(tmp_path / "a.jsonl", f'{{"text": "{text[:7]}"}}\n') == [{"text": text[:7]}]


def test_a_byte_order_mark_and_blank_lines_are_left_out(tmp_path):
    assert read(tmp_path / "a.csv", "\ufefftext,label\n\na,yes\n\n") == [{"text": "a", "label": "yes"}]
    assert read(tmp_path / "a.jsonl", '\n{"text": "a"}\n \n') == [{"text": "a"}]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.csv", "text,label\na,b,c\n", "Expected 2 columns. .*a.csv, line 2 has 3. Put texts with commas into quot"),
        ("a.csv", "text,label\na\n", "Expected 2 columns. .*a.csv, line 2 has 1"),
        ("a.tsv", "text\tlabel\na\tb\nc\n", "Expected 2 columns. .*a.tsv, line 3 has 1"),
        ("a.csv", 'text,label\n"a,b\nc,d\n', "Cannot read .*a.csv, lines 2 to 3: .* Is a quotation mark not"),
        (
            "a.csv",
            "text,text\na,b\n",
            "names of the columns, each once, in the first line of .*: 'text' occurs twice",
        ),
        ("a.csv", "", "names of the columns, each once, .*: it has none"),
        ("a.jsonl", '{"text": "a"}\n{"text"\n', "JSON object on each line. .*a.jsonl, line 2"),
        ("a.jsonl", "[1]\n", "a.jsonl, line 1 is a list"),
        ("a.csv", b"text\n\xff\n", "Expected UTF-8 text. .*a.csv, line 2"),
        ("a.xlsx", "text\n", "file ending in .csv, .tsv, .jsonl"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path, name, content, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path / name, content)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="There is none at .*a.csv"):
        list(tables.rows(tmp_path / "a.csv"))


def test_a_cell_of_blanks_is_no_text_and_no_label():
    with pytest.raises(InputError, match="Expected text in the column 'label'. a.csv, line 2 has none.$"):
        tables.cell({"text": "a", "label": "  "}, "label", "a.csv, line 2", "Name it.")
    with pytest.raises(
        InputError, match="Expected a column 'star'. a.csv, line 2 has the columns text, label. Name it.$"
    ):
        tables.cell({"text": "a", "label": "b"}, "star", "a.csv, line 2", "Name it.")
    assert tables.cell({"label": 0}, "label", "here") == "0"
