"""AdaBoostRegressor in integers beside its float parent: accuracy, time of predict, bytes.

    python benchmarks/weighted_median.py --trees 50 300 --depth 3

Prints, for each table and number of trees, R² on test rows of the integer model at several widths
and of the float one, R² of the integer predictions as predictions of the float ones, the
microseconds a row of both (the least of several runs, on one thread), and the bytes of the program.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import AdaBoostRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor

import skq


def microseconds(predict, X, repeats):
    """The least time of `predict` for one row, in microseconds of the processor."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        predict(X)
        times.append(time.process_time() - start)
    return min(times) / len(X) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, nargs="+", default=[10, 50, 300])
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--bits", type=int, nargs="+", default=[8, 4, 2])
    options = parser.parse_args()
    tables = {
        "diabetes": load_diabetes(return_X_y=True),
        "friedman": make_friedman1(3000, noise=1, random_state=0),
    }
    print("table     trees  bits     R²  float  R² of float   µs/row  float   bytes")
    for name, (X, y) in tables.items():
        X, X_test, y, y_test = train_test_split(X, y, random_state=0)
        for n_trees in options.trees:
            tree = DecisionTreeRegressor(max_depth=options.depth)
            model = AdaBoostRegressor(tree, n_estimators=n_trees, random_state=0).fit(X, y)
            expected = model.predict(X_test)
            rows = np.tile(X_test, (3000 // len(X_test) + 1, 1))
            parent = microseconds(model.predict, rows, 3)
            for n_bits in options.bits:
                ours = skq.quantize(model, X, n_bits=n_bits)
                found = ours.predict(X_test)
                scores = r2_score(y_test, found), r2_score(y_test, expected)
                times = microseconds(ours.predict, rows, 15), parent
                print(
                    f"{name:9} {len(model.estimators_):5}  {n_bits:4} "
                    f"{scores[0]:6.3f} {scores[1]:6.3f} {r2_score(expected, found):12.3f} "
                    f"{times[0]:8.2f} {times[1]:6.1f} {ours.quantized_module_.nbytes:7}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
