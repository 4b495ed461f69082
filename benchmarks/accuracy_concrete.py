"""Concrete ML on the splits of `accuracy.py`, in the Python that has it.

Concrete ML pins its own versions of everything, so it runs in a process of a virtual environment of
its own: this script, given a folder of jobs. What it found is kept in a file of JSON lines and not
run again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accuracy_models import Split, score

#: Classes that Concrete ML has too, with the same training.
SHARED = frozenset(
    {
        "LogisticRegression",
        "LinearSVC",
        "Ridge",
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "RandomForestClassifier",
        "RandomForestRegressor",
    }
)

Key = tuple[str, str, int, int]


@dataclass(frozen=True)
class Job:
    """One model on one split of one data set."""

    model: str
    data: str
    seed: int
    parameters: dict[str, Any]
    is_classification: bool


def _run_job(cls: type, job: Job, split: Split, n_bits: int) -> float:
    parameters = dict(job.parameters)
    if job.model != "Ridge":
        parameters["random_state"] = job.seed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence, as for the float models
        model = cls(n_bits=n_bits, **parameters).fit(split["X_train"], split["y_train"])
        predicted = model.predict(split["X_test"])
    return score(split["y_test"], predicted.ravel(), job.is_classification)


def main(folder: str) -> None:
    """Print a JSON line for each job and width of a folder; runs in Concrete ML's Python."""
    import concrete.ml.sklearn as concrete

    for path in sorted(Path(folder).glob("*.json")):
        content = json.loads(path.read_text())
        job = Job(**content["job"])
        split = dict(np.load(path.with_suffix(".npz")))
        for n in content["bits"]:
            try:
                points = _run_job(getattr(concrete, job.model), job, split, n)
            except Exception as error:
                print(
                    f"{job.model} on {job.data} at {n} bits: {type(error).__name__}: {error}",
                    file=sys.stderr,
                )
                continue
            found = {"model": job.model, "data": job.data, "seed": job.seed, "bits": n}
            print(json.dumps(found | {"points": points}), flush=True)


class ConcreteScores:
    """Points of Concrete ML by model, data set, seed and width.

    Parameters
    ----------
    python : str
        A Python with Concrete ML.
    path : path-like
        A file of JSON lines: read where it exists, and extended.
    """

    def __init__(self, python: str, path: str | Path) -> None:
        self.python = python
        self.path = Path(path)
        self.points: dict[Key, float] = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        found = json.loads(line)
        self.points[found["model"], found["data"], found["seed"], found["bits"]] = found["points"]

    def get(self, job: Job, n_bits: int) -> float | None:
        """Points of a job that was run; None where Concrete ML failed."""
        return self.points.get((job.model, job.data, job.seed, n_bits))

    def run(self, jobs: list[tuple[Job, Split]], bits: list[int]) -> None:
        """Run what the file does not hold, in one process."""
        with tempfile.TemporaryDirectory() as folder:
            for number, (job, split) in enumerate(jobs):
                missing = [n for n in bits if self.get(job, n) is None]
                if missing:
                    path = Path(folder, f"{number}.json")
                    path.write_text(json.dumps({"job": asdict(job), "bits": missing}))
                    np.savez(path.with_suffix(".npz"), **split)
            if any(Path(folder).iterdir()):
                self._run_folder(folder)

    def _run_folder(self, folder: str) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command = [self.python, __file__, folder]
        with (
            self.path.open("a") as file,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, text=True, env=environment
            ) as process,
        ):
            for line in process.stdout or ():
                if line.startswith("{"):
                    self._take(line)
                    file.write(line)
                    file.flush()
        if process.returncode:
            print(
                f"Concrete ML's process ended with status {process.returncode}; what it has not "
                "scored is left out",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main(sys.argv[1])
