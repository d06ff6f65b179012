"""Reads and writes videos frame by frame with ffmpeg, which is bundled with the package imageio-ffmpeg."""

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import imageio_ffmpeg
import numpy as np

QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")


@contextlib.contextmanager
def _started(*words: str, **pipes: Any) -> Iterator[tuple[subprocess.Popen, IO[bytes]]]:
    """Starts ffmpeg; yields the process and a file with its error output. The process has ended on exit."""
    with tempfile.TemporaryFile() as said:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), *QUIET, *words]
        with subprocess.Popen(command, stderr=said, **pipes) as process:
            try:
                yield process, said
            finally:
                if process.poll() is None and process.stdin is None:
                    process.kill()


def frames(path: Path) -> Iterator[np.ndarray]:
    """Yields the frames (rows, columns, 3) uint8 of a video at a constant frame rate, even if that of the file varies.

    Raises:
        OSError: after the last readable frame, with ffmpeg's error message, if there is one.
    """
    words = ("-i", f"file:{path}", "-map", "0:v:0", "-f", "image2pipe", "-vcodec", "ppm", "-pix_fmt", "rgb24", "-")
    with _started(*words, stdout=subprocess.PIPE) as (process, said):
        assert process.stdout
        while picture := _ppm(process.stdout):
            rows, columns, content = picture
            if len(content) < rows * columns * 3:
                break
            yield np.frombuffer(content, np.uint8).reshape(rows, columns, 3)
        process.wait()
        if error := _last_line(said):
            raise OSError(error)


def _ppm(pipe: IO[bytes]) -> tuple[int, int, bytes] | None:
    """Reads the next PPM image, whose header gives its size: rows, columns and pixels; None at the end."""
    if pipe.readline().strip() != b"P6":
        return None
    columns, rows = map(int, pipe.readline().split())
    pipe.readline()
    return rows, columns, pipe.read(rows * columns * 3)


def rate(path: Path) -> tuple[float, float]:
    """Returns frame rate (frames per second) and duration (s) of a video; 0 where the file does not specify them."""
    words = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-i", f"file:{path}"]
    said = subprocess.run(words, capture_output=True, check=False).stderr.decode(errors="replace")
    fps = re.search(r"Video: .*?([\d.]+) fps", said)
    length = re.search(r"Duration: (\d+):(\d+):([\d.]+)", said)
    seconds = (
        sum(float(part) * unit for part, unit in zip(length.groups(), (3600, 60, 1), strict=True)) if length else 0
    )
    return float(fps[1]) if fps else 0.0, seconds


class Mp4:
    """Writes frames (rows, columns, 3) uint8 of one even size as H.264, which browsers can play."""

    def __init__(self, path: Path, rows: int, columns: int, fps: float) -> None:
        read = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{columns}x{rows}", "-r", f"{fps:g}", "-i", "-")
        write = ("-vcodec", "libx264", "-pix_fmt", "yuv420p", "-crf", "18", "-movflags", "faststart", "-y")
        self.path, self.stack = path, contextlib.ExitStack()
        words = (*read, *write, f"file:{path}")
        self.process, self.said = self.stack.enter_context(_started(*words, stdin=subprocess.PIPE))

    def __enter__(self) -> Self:
        return self

    def add(self, picture: np.ndarray) -> None:
        """Adds a frame. Raises OSError with ffmpeg's message if it fails."""
        try:
            self.process.stdin.write(np.ascontiguousarray(picture).tobytes())
        except BrokenPipeError as error:
            raise OSError(_last_line(self.said)) from error

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        failed = self.process.wait()
        said = _last_line(self.said)
        self.stack.close()
        if failed and error is None:
            raise OSError(f"{self.path} cannot be written: {said}")


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    found = [line.strip() for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    return re.sub(r"\[[^]]* @ 0x[0-9a-f]+\] *", "", found[-1])[-200:] if found else ""  # without addresses in memory
