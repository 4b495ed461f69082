"""From a table with texts and missing values to one file that predicts in integers.

Run it with ``python examples/tables_of_text.py``. The table is palmerpenguins': measurements of 344
penguins, with the island and the sex as texts (``pip install --no-deps palmerpenguins``).
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skq


def penguins():
    package = find_spec("palmerpenguins")
    if package is None:
        return None
    return pd.read_csv(Path(package.origin).parent / "data" / "penguins.csv")


def main():
    table = penguins()
    if table is None:
        print("The table is not installed: pip install --no-deps palmerpenguins")
        return
    X, y = table.drop(columns=["species", "year"]), table["species"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("texts", texts, make_column_selector(dtype_exclude="number")),
        ]
    )
    pipeline = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(X_train, y_train)

    # The whole pipeline becomes one program; a lookup stage in front of it gives every category of
    # a column an integer.
    quantized = skq.quantize(pipeline, X_train, n_bits=8)
    print(f"floats   {pipeline.score(X_test, y_test):.3f}")
    print(f"integers {quantized.score(X_test, y_test):.3f}")

    # One file, which needs NumPy alone: no scikit-learn, and no pandas unless it is given a frame.
    with tempfile.TemporaryDirectory() as folder:
        skq.save(quantized, Path(folder) / "penguins.skq")
        model = skq.load(Path(folder) / "penguins.skq")

    # Columns are found by name: in a dict, a dataframe or an Arrow table, in any order.
    one = {
        "sex": ["male", None, "female"],
        "island": ["Biscoe", "Dream", "an island that nobody knows"],
        "body_mass_g": [5400, 3600, None],
        "flipper_length_mm": [221, 195, 188],
        "bill_depth_mm": [15.0, 18.9, 17.8],
        "bill_length_mm": [48.2, 50.1, 38.6],
    }
    print("three rows", model.predict(one))
    for column in model.lookup.columns:
        name = model.lookup.names[column.feature]
        codes = dict(zip(column.categories, column.codes.astype(int).tolist(), strict=True))
        print(f"{name:10} {codes}, others {column.unknown:.0f}, missing {column.missing:.0f}")


if __name__ == "__main__":
    main()
