"""Input that keeps coming."""

import csv
import io
import os
import signal
import sys

import pytest

from shared import feeds


def test_a_file_is_read_line_by_line_with_its_last_line_as_it_is(tmp_path):
    path = tmp_path / "feed.csv"
    path.write_bytes(b"\xef\xbb\xbfa,1\nb\xff,2\n\nc")
    assert list(feeds.lines_of(str(path), follow=False)) == ["a,1\n", "b\ufffd,2\n", "\n", "c"]


def test_a_line_of_csv_is_cut_into_its_cells_however_it_is_quoted_and_however_long_it_is():
    assert feeds.cells('1, HR ,"90"\n') == ["1", "HR", "90"]
    assert feeds.cells('"a, b","say ""yes""",\n') == ["a, b", 'say "yes"', ""]
    assert feeds.cells("\n") == [] and feeds.cells('1,"open\n') == ["1", "open"]
    before = csv.field_size_limit(1_000)
    try:
        assert feeds.cells(f"1,{'x' * 2_000}\n") == ["1", "x" * 2_000]
    finally:
        csv.field_size_limit(before)


def test_a_growing_file_gives_a_line_when_it_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "feed.csv"
    path.write_text("one\ntw")
    later = iter(["o\nthr", "ee", "\n"])

    def wait(seconds):
        with path.open("a") as file:
            file.write(next(later))

    monkeypatch.setattr(feeds.time, "sleep", wait)
    found = feeds.lines_of(str(path), follow=True)
    assert [next(found) for _ in range(3)] == ["one\n", "two\n", "three\n"]
    with pytest.raises(RuntimeError, match="StopIteration"):  # nothing more is written
        next(found)


def test_standard_input_is_read_to_its_end_whatever_its_bytes(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\xff\nb"), encoding="utf-8"))
    assert list(feeds.lines_of("-", follow=False)) == ["a\ufffd\n", "b"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_and_the_handlers_come_back(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), feeds.interruptible():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_must_not_be_cut_is_done_before_the_interruption(number):
    done, before = [], signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), feeds.interruptible():
        with feeds.undisturbed():
            os.kill(os.getpid(), number)
            done.append("whole")
        done.append("after")
    assert done == ["whole"]
    with pytest.raises(ZeroDivisionError), feeds.undisturbed():
        1 / 0  # noqa: B018
    assert signal.getsignal(number) is before
