"""Describes the machine that a result was measured on: hardware and package versions."""

import contextlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy")
# Cloud machines may hide the CPU model; the width of its vector unit determines the speed of matrix products.
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}


def hardware() -> str:
    """Returns a short description such as "2 x AMD EPYC 7B13 (AVX2), no GPU", without host or user name."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cpus} x {_processor()}, {_gpus() or 'no GPU'}"


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the installed packages that affect results."""
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
    """Returns the names of the NVIDIA GPUs, from the driver so that no backend has to start; "" if there are none."""
    if not shutil.which("nvidia-smi"):
        return ""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    names = answer.stdout.split("\n")[:-1] if answer.returncode == 0 else []
    return ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
