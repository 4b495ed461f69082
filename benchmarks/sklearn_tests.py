"""scikit-learn's own tests, from its installed package, with the estimator classes swapped.

Before the test modules are imported, each public class that skq quantizes is replaced in
scikit-learn's public modules by skq's class of that name, with 16 bits as the default width. So
``from sklearn.linear_model import Ridge`` in a test gives `skq.linear_model.Ridge`. Failures are
run again without the swap; those that fail there too are not counted against skq.

Prints counts, and for what failed the reasons, most frequent first::

    python benchmarks/sklearn_tests.py                       every module of `MODULES`
    python benchmarks/sklearn_tests.py linear_model tree     some of them
    python benchmarks/sklearn_tests.py --ids FILE            only the tests listed in a file
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

#: Test packages of scikit-learn that are about estimators which skq has.
MODULES = ("linear_model", "svm", "tree", "ensemble", "neural_network")

#: Public modules of scikit-learn whose classes are replaced.
SWAPPED = MODULES

N_BITS = 16

#: Seconds that one test may take.
TIMEOUT = 120

#: Failures that come of integers at 16 bits, and not of an error: a comparison of values.
COMPARISONS = ("AssertionError",)


def swap_classes() -> int:
    """Replace scikit-learn's public classes; how many."""
    import sklearn

    # scikit-learn's modules must have imported their own classes before the swap
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in pkgutil.walk_packages(sklearn.__path__, "sklearn."):
            if ".tests" in module.name or ".externals" in module.name or "conftest" in module.name:
                continue
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)

    from skq.estimators import base

    bits, *others = base.ADDED_PARAMETERS
    base.ADDED_PARAMETERS = (bits.replace(default=N_BITS), *others)
    base.QuantizedEstimator._added_parameters = base.ADDED_PARAMETERS
    count = 0
    for name in SWAPPED:
        ours, theirs = (importlib.import_module(f"{p}.{name}") for p in ("skq", "sklearn"))
        for class_name in ours.__all__:
            cls = getattr(ours, class_name)
            if inspect.isclass(cls) and issubclass(cls, base.QuantizedEstimator):
                setattr(theirs, class_name, cls)
                count += 1
    return count


class Results:
    """pytest plugin: what each test did, and why it failed."""

    def __init__(self) -> None:
        self.outcome: dict[str, str] = {}
        self.reason: dict[str, str] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = (yield).get_result()
        if report.when == "call" or report.outcome != "passed":
            self.outcome[item.nodeid] = report.outcome
            if report.failed:
                self.reason[item.nodeid] = reason_of(call.excinfo)

    def pytest_collectreport(self, report):
        if report.failed:
            self.outcome[report.nodeid] = "failed"
            self.reason[report.nodeid] = str(report.longrepr).strip().splitlines()[-1]


def reason_of(excinfo) -> str:
    """Type of the exception and the first line of its message, without numbers."""
    kind = excinfo.type.__name__
    lines = [line for line in str(excinfo.value).splitlines() if line.strip()]
    if kind in COMPARISONS:
        return f"{kind}: values differ"
    text = re.sub(r"0x[0-9a-f]+|\d+(\.\d+)?(e[-+]?\d+)?", "#", lines[0] if lines else "")
    return f"{kind}: {text[:150]}"


def run(tests: list[str], *, swapped: bool, traceback: str = "no") -> Results:
    """Run the tests in this process."""
    if swapped:
        print(f"{swap_classes()} classes swapped, {N_BITS} bits")
    results = Results()
    options = ["-q", f"--tb={traceback}", "-p", "no:cacheprovider", "-p", "no:randomly"]
    options += [
        "-c",
        os.devnull,
        "--import-mode=importlib",
        f"--timeout={TIMEOUT}",
        "-W",
        "ignore",
        "--rootdir=.",
    ]
    pytest.main([*options, *tests], plugins=[results])
    return results


def failing_without_swap(failed: list[str]) -> set[str]:
    """Which of the tests fail with scikit-learn's own classes, too: in a process of its own."""
    if not failed:
        return set()
    with tempfile.TemporaryDirectory() as folder:
        ids, out = Path(folder, "ids"), Path(folder, "out")
        ids.write_text("\n".join(failed))
        command = [sys.executable, __file__, "--parents", "--ids", str(ids), "--out", str(out)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        lines = out.read_text().splitlines() if out.exists() else []
    return {line.partition("\t")[0] for line in lines}


def test_ids(names: list[str], ids: str | None) -> list[str]:
    """Paths of test modules, or test ids from a file."""
    import sklearn

    root = Path(sklearn.__file__).parent
    os.chdir(root.parent)  # ids are relative to it
    if ids is not None:
        return [line.partition("\t")[0] for line in Path(ids).read_text().splitlines() if line]
    return [str(Path("sklearn", name, "tests")) for name in names or MODULES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MODULES)}; default: all")
    parser.add_argument("--ids", help="file of test ids, one a line")
    parser.add_argument("--out", help="file to write the ids and reasons of failures to")
    parser.add_argument("--parents", action="store_true", help="do not swap the classes")
    parser.add_argument("--tb", default="no", help="pytest's style of tracebacks")
    arguments = parser.parse_args()
    paths = {name: getattr(arguments, name) for name in ("ids", "out")}
    ids, out = (None if p is None else os.path.abspath(p) for p in paths.values())
    results = run(
        test_ids(arguments.names, ids), swapped=not arguments.parents, traceback=arguments.tb
    )
    reasons = results.reason
    if out is not None:
        Path(out).write_text("".join(f"{test}\t{why}\n" for test, why in reasons.items()))
    if arguments.parents:
        return
    excused = failing_without_swap(list(reasons))
    counts = collections.Counter(results.outcome.values())
    by_reason = collections.Counter(why for test, why in reasons.items() if test not in excused)
    print(
        f"\n{counts['passed']} passed, {counts['skipped']} skipped, "
        f"{sum(by_reason.values())} failed with skq only, {len(excused)} with scikit-learn too"
    )
    for why, count in by_reason.most_common():
        print(f"{count:6}  {why}")


if __name__ == "__main__":
    main()
