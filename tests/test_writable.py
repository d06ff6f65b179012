"""What cannot be written is refused before any work."""

import pytest

from shared import InputError, writable


def test_a_file_in_a_folder_that_is_there_or_can_be_made_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given in ("a", "new/folder/a.png", str(tmp_path / "a.png")):
        writable.check("--out", given)
    assert not list(tmp_path.iterdir())


def test_a_folder_and_what_lies_where_no_file_can_be_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for given, line in (
        (".", "--out: expected the path of a file; . is a folder"),
        ("none/", "--out: expected the path of a file; none/ is a folder"),
        ("file/a.png", f"--out: {tmp_path / 'file'} takes no files .*; received file/a.png"),
    ):
        with pytest.raises(InputError, match=line):
            writable.check("--out", given)
