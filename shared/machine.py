"""The machine that a result was measured on: processors and package versions."""

import contextlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy")
# Rented processors hide their model; how wide their vectors are decides how fast products run.
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}


def hardware() -> str:
    """The machine in a few words, e.g. "2 x AMD EPYC 7B13 (AVX2), no GPU"; no host or user name."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cpus} x {_processor()}, {_gpus() or 'no GPU'}"


def versions() -> dict[str, str]:
    """Python and the installed packages that decide numbers, each with its version."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = cpuinfo.read_text()
        match = re.search(r"^model name\s*:\s*(.+)$", found, re.MULTILINE)
        if match:
            words = set(found.split())
            vectors = [f" ({name})" for flag, name in VECTORS.items() if flag in words]
            return match[1].strip() + "".join(vectors[:1])
    return platform.processor() or platform.machine()


def _gpus() -> str:
    """Names of the NVIDIA GPUs, asked of the driver so that no backend has to start; "" if there are none."""
    if not shutil.which("nvidia-smi"):
        return ""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    names = answer.stdout.split("\n")[:-1] if answer.returncode == 0 else []
    return ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
