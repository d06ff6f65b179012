"""What carries the trainings of a comparison: this machine's processes, a Ray cluster, or Slurm.

An engine is a function that takes trials and the work to do for each, and yields every trial once it has ended.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shared import InputError
from shared import runs as folders

from .trial import Trial, Work, lost

REQUIREMENTS = "apps/requirements-cluster.txt"
SAVE_S = 300  # how long interrupted trainings may take to save their state

Resources = Mapping[str, Any]
Engine = Callable[[Sequence[Trial], Work, Resources], Iterator[Trial]]


def here(trials: Sequence[Trial], work: Work, resources: Resources) -> Iterator[Trial]:
    """Carries out one trial after the other on this machine."""
    del resources
    for trial in trials:
        work(trial)
        yield trial


def ray(trials: Sequence[Trial], work: Work, resources: Resources) -> Iterator[Trial]:
    """Carries out each trial as a Ray task, which Ray starts again if its worker is lost.

    Uses the cluster of $RAY_ADDRESS or of this machine, else starts one. `resources` are options of `ray.remote`.
    """
    library = needed("ray")
    library.init(log_to_driver=False, logging_level="warning", ignore_reinit_error=True)

    def carry(trial: Trial) -> None:
        work(trial)

    task = library.remote(**{"max_retries": -1, **resources})(carry)
    waiting = {task.remote(trial): trial for trial in trials}
    try:
        while waiting:
            for done in library.wait(list(waiting))[0]:
                try:
                    library.get(done)
                except library.exceptions.RayError as error:
                    lost(waiting[done], f"lost by Ray: {first_line(error)}")
                yield waiting.pop(done)
    finally:
        for left in waiting:
            library.cancel(left)  # raises KeyboardInterrupt there; the training saves its state
        if waiting:
            library.wait(list(waiting), num_returns=len(waiting), timeout=SAVE_S)
        library.shutdown()


def slurm(trials: Sequence[Trial], work: Work, resources: Resources) -> Iterator[Trial]:
    """Carries out each trial as a Slurm job, which requeues itself if it is preempted or reaches its time limit.

    `resources` are parameters of submitit's executor, such as slurm_partition or timeout_min, and cluster=local to try
    it without Slurm. Jobs outlive this process: repeat the command to wait for them again.
    """
    library = needed("submitit")
    parameters = {"name": "compare", **resources}
    poll_s = parameters.pop("poll_s", 10)
    try:
        executor = library.AutoExecutor(folders.root() / "compare" / "jobs", parameters.pop("cluster", "slurm"))
        executor.update_parameters(**parameters)
    except (RuntimeError, ValueError, NameError, TypeError) as error:
        raise InputError(f"--on slurm: {first_line(error)}") from error
    with executor.batch():
        jobs = {executor.submit(Requeued(work), trial): trial for trial in trials}
    waiting = dict(jobs)
    for job in library.helpers.as_completed(list(jobs), poll_frequency=poll_s):
        try:
            job.result()
        except library.core.utils.UncompletedJobError as error:
            lost(waiting[job], f"lost by Slurm: {first_line(error)}")
        yield waiting.pop(job)


class Requeued:
    """Work that submitit submits again, with the same trial, when Slurm ends the job before it is done."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def __call__(self, trial: Trial) -> None:
        """Carries out the trial."""
        self.work(trial)

    def checkpoint(self, trial: Trial) -> Any:
        """Returns what to submit; the training itself resumes from its last checkpoint."""
        return needed("submitit").helpers.DelayedSubmission(self, trial)


ENGINES: dict[str, Engine] = {"here": here, "ray": ray, "slurm": slurm}
PACKAGES = {"ray": "ray", "slurm": "submitit"}


def check(engine: str, resources: Resources) -> None:
    """Raises InputError if the package that the engine needs is not installed, or it takes no resources."""
    if engine in PACKAGES:
        needed(PACKAGES[engine])
    elif resources:
        raise InputError(f"--resources: expected with --on ray or slurm only; received {' '.join(resources)}")


def needed(package: str) -> Any:
    """Imports a package that is not among the gallery's requirements."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise InputError(
            f"--on: expected {package} to be installed: python -m pip install -r {REQUIREMENTS}"
        ) from error


def parsed(text: str) -> dict[str, Any]:
    """Parses --resources, such as "num_gpus=1 slurm_partition=gpu".

    Raises InputError unless every word is NAME=VALUE. Whole and decimal numbers become numbers.
    """
    found: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not name.isidentifier() or not equals or not value:
            raise InputError(f"--resources: expected words NAME=VALUE; received {word!r}")
        found[name] = number(value)
    return found


def number(text: str) -> int | float | str:
    """Returns the number that the text is, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
