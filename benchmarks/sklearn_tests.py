"""scikit-learn's own tests, from its installed package, with the estimator classes swapped.

Before the test modules are imported, each public class that skq quantizes is replaced in
scikit-learn's public modules by skq's class of that name, with 16 bits as the default width. So
``from sklearn.linear_model import Ridge`` in a test gives `skq.linear_model.Ridge`. Failures are
run again without the swap; those that fail there too are not counted against skq.

Prints counts, and a table of the reasons of what failed with skq only. A failure that neither a
rule nor `EXPLAINED` accounts for is listed by its test; then the exit status is 1::

    python benchmarks/sklearn_tests.py                       every module of `MODULES`
    python benchmarks/sklearn_tests.py linear_model tree     some of them
    python benchmarks/sklearn_tests.py svm/tests/test_svm.py one file
    python benchmarks/sklearn_tests.py --one                 of each test function one test
    python benchmarks/sklearn_tests.py --ids FILE            only the tests listed in a file
    python benchmarks/sklearn_tests.py --table FILE ...      the table of earlier runs' --out FILEs
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
MODULES = (
    "tree",
    "svm",
    "linear_model",
    "linear_model/_glm",
    "ensemble/_hist_gradient_boosting",
    "ensemble",
    "neural_network",
)

#: Public modules of scikit-learn whose classes are replaced.
SWAPPED = ("linear_model", "svm", "tree", "ensemble", "neural_network")

N_BITS = 16

#: Seconds that one test may take.
TIMEOUT = 120

#: Differences, relative to values above 1, that come of rounding to 16 bits.
ROUNDING = 1e-3

#: Functions that refuse before training, and what marks the messages of their errors.
CHECKS, BEFORE = ("check_trainable", "check_bits"), "before training, "

#: Why tests fail whose message does not tell: pattern of the test's id, tab and message; reason.
EXPLAINED: list[tuple[str, str]] = [
    (
        r"does not take return_(std|cov)=True",
        "refused when called: return_std and return_cov have no integer form",
    ),
    (
        r"test_inplace_data_preprocessing|copy_X_False|copyX_behaviour",
        "copy_X=False: skq calibrates on X as it was given, so a copy is overwritten",
    ),
    (
        r"test_lasso_cv|test_enet_path|test_ocsvm_vs_sgdocsvm",
        "rows beyond the range of the training data saturate",
    ),
    (
        r"\[SparseSGD|_SparseSGD",
        "the test's own subclass, defined inside scikit-learn's package, counts as its class",
    ),
    (
        r"test_bagging.py::test_gridsearch",
        "refused before training: a kernel machine compares with its training rows",
    ),
    (
        r"test_bagging.py::test_estimator\t.*isinstance",
        "asks for the swapped class where the default is scikit-learn's own",
    ),
    (
        r"test_iforest_chunks_works|test_early_stopping_with_sample_weights",
        "counts calls of a method: fit calls it once more, to compare",
    ),
    (
        r"was set after fit|read-only",
        "refused: coefficients are changed after fit",
    ),
    (
        r"_log_reg_scoring_path\(\) got an unexpected keyword",
        "passes the result of get_params to a private function",
    ),
    (
        r"test_raw_predict_is_called_with_custom_scorer",
        "puts a mock in place of a private method that conversion calls",
    ),
    (
        r"test_compare_lightgbm",
        f"its tolerance is below half a step of {N_BITS} bits of the range of the predictions",
    ),
    (
        r"test_(more_)?verbose_output",
        "counts lines: verbose prints three lines about the conversion",
    ),
    (
        r"test_gb_denominator_zero",
        "makes warnings errors: leaves of very different size give a PrecisionWarning",
    ),
    (
        r"(Custom\w+|Estimator\w+SampleWeight|MyEstimator) cannot be quantized",
        "refused before training: an estimator class of the test's own",
    ),
    (
        r"Failed: Timeout",
        f"takes more than {TIMEOUT} s: every fit of a search is quantized",
    ),
    (
        r"Regex pattern did not match.*cannot be quantized|test_raise_if_init_has_no_predict_proba",
        "refused before training: a test of another error of the base estimator",
    ),
]


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
    """pytest plugin: what each test did, and why it failed; failures also go to a file."""

    def __init__(self, out: str | None = None, *, one: bool = False) -> None:
        self.one = one
        self.outcome: dict[str, str] = {}
        self.reason: dict[str, str] = {}
        self._out = out
        if out is not None:
            Path(out).write_text("")

    def pytest_collection_modifyitems(self, items):
        if self.one:
            functions = collections.defaultdict(list)
            for item in items:
                functions[item.nodeid.partition("[")[0]].append(item)
            items[:] = [several[len(several) // 2] for several in functions.values()]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = (yield).get_result()
        if report.when == "call" or report.outcome != "passed":
            self.outcome[item.nodeid] = report.outcome
            if report.failed:
                excinfo = call.excinfo
                text = str(excinfo.value) if excinfo else str(report.longrepr)
                message = message_of(excinfo.type if excinfo else None, text)
                if excinfo and any(entry.name in CHECKS for entry in excinfo.traceback):
                    message = f"{BEFORE}{message}"
                self._failed(item.nodeid, message)

    def pytest_collectreport(self, report):
        if report.failed:
            self.outcome[report.nodeid] = "failed"
            self._failed(report.nodeid, str(report.longrepr).strip().splitlines()[-1])

    def _failed(self, test: str, message: str) -> None:
        self.reason[test] = message
        if self._out is not None:
            with open(self._out, "a") as file:
                file.write(f"{test}\t{message}\n")


def message_of(kind: type | None, text: str) -> str:
    """An exception in one line: its type, how far numbers differ, the start of its message."""
    difference = difference_in(text)
    by = "" if difference is None else f"differs by {difference:.2g}: "
    return f"{kind.__name__ if kind else 'failed'}: {by}{' '.join(text.split())[:200]}"


def difference_in(text: str) -> float | None:
    """How far values differ that an assertion compares, relative to values above 1."""
    number = r"([-+]?\d+\.?\d*(?:e[-+]?\d+)?)"
    found = [
        float(value)
        for kind in ("absolute", "relative")
        for value in re.findall(rf"Max {kind} difference.*?: {number}", text)
    ]
    if found:
        return min(found)
    wrapped = rf"(?:np\.float\d+\()?{number}\)?"
    for pattern in (
        rf"Obtained: {wrapped}\s+Expected: {wrapped}",
        rf"assert (?:abs\()?{wrapped}\)? (?:[=<>]=?) {wrapped}",
        rf"\n ACTUAL: {wrapped}\s+DESIRED: {wrapped}",
    ):
        match = re.search(pattern, text)
        if match:
            got, wanted = float(match[1]), float(match[2])
            return abs(got - wanted) / max(1.0, abs(wanted))
    return None


def explanation(test: str, message: str) -> str | None:
    """The reason of a failure; None if there is no known one."""
    for pattern, reason in EXPLAINED:
        if re.search(pattern, f"{test}\t{message}"):
            return reason
    if message.startswith(f"{BEFORE}UnsupportedModelError"):
        why = re.split(r"cannot be quantized:? ?", message, maxsplit=1)[-1]
        return f"refused before training: {re.split('[;.,(] ?', why)[0]}"
    match = re.match(r"AssertionError: differs by (\S+):", message)
    if match and float(match[1]) <= ROUNDING:
        return f"values differ by at most {ROUNDING:g}: rounding to {N_BITS} bits"
    return None


def run(
    tests: list[str],
    *,
    swapped: bool,
    traceback: str = "no",
    out: str | None = None,
    one: bool = False,
) -> Results:
    """Run the tests in this process."""
    if swapped:
        print(f"{swap_classes()} classes swapped, {N_BITS} bits")
    results = Results(out, one=one)
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
    return [
        str(Path("sklearn", name) if name.endswith(".py") else Path("sklearn", name, "tests"))
        for name in names or MODULES
    ]


def print_table(reasons: dict[str, str]) -> int:
    """Print the reasons of failures with their counts; how many have none."""
    explained = {test: explanation(test, message) for test, message in reasons.items()}
    counts = collections.Counter(why for why in explained.values() if why is not None)
    for why, count in counts.most_common():
        print(f"{count:6}  {why}")
    unexplained = [test for test, why in explained.items() if why is None]
    if unexplained:
        print(f"{len(unexplained):6}  without a known reason:")
        for test in unexplained:
            print(f"        {test}  {reasons[test]}")
    return len(unexplained)


def read_failures(paths: list[str]) -> dict[str, str]:
    """Failures that runs wrote to their --out files: test, message."""
    lines = [line for path in paths for line in Path(path).read_text().splitlines()]
    return {line.partition("\t")[0]: line.partition("\t")[2] for line in lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MODULES)}; default: all")
    parser.add_argument("--ids", help="file of test ids, one a line")
    parser.add_argument("--out", help="file to write the ids and reasons of failures to")
    parser.add_argument("--parents", action="store_true", help="do not swap the classes")
    parser.add_argument("--tb", default="no", help="pytest's style of tracebacks")
    parser.add_argument("--one", action="store_true", help="one test of each test function")
    parser.add_argument("--table", nargs="+", help="print the table of these files of failures")
    arguments = parser.parse_args()
    if arguments.table:
        sys.exit(print_table(read_failures(arguments.table)) > 0)
    paths = {name: getattr(arguments, name) for name in ("ids", "out")}
    ids, out = (None if p is None else os.path.abspath(p) for p in paths.values())
    results = run(
        test_ids(arguments.names, ids),
        swapped=not arguments.parents,
        traceback=arguments.tb,
        out=out,
        one=arguments.one,
    )
    if arguments.parents:
        return
    excused = failing_without_swap(list(results.reason))
    reasons = {test: why for test, why in results.reason.items() if test not in excused}
    if out is not None:
        Path(out).write_text("".join(f"{test}\t{why}\n" for test, why in reasons.items()))
    counts = collections.Counter(results.outcome.values())
    print(
        f"\n{counts['passed']} passed, {counts['skipped']} skipped, "
        f"{len(reasons)} failed with skq only, {len(excused)} with scikit-learn too"
    )
    sys.exit(print_table(reasons) > 0)


if __name__ == "__main__":
    main()
