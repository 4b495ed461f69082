"""
Tables with texts and missing values
====================================

A whole pipeline, from columns of texts to the prediction, becomes one integer program. A lookup
stage before the program maps every category of a column to an integer. Loading the saved file
needs only NumPy.
"""

# %%
# A table of flats
# ----------------
# The rent depends on the area, on the district and on the heating. Some values are missing.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skq

rng = np.random.default_rng(0)
n_flats = 500
prices = {"Altstadt": 16.0, "Hafen": 13.0, "Nord": 10.0, "Süd": 11.5}
table = pd.DataFrame(
    {
        "area": rng.uniform(25, 120, n_flats).round(1),
        "district": rng.choice(list(prices), n_flats),
        "heating": rng.choice(["gas", "district heating", "heat pump"], n_flats),
    }
)
rent = table["area"] * table["district"].map(prices) * rng.normal(1, 0.05, n_flats)
rent += np.where(table["heating"] == "heat pump", 80, 0)
table.loc[rng.random(n_flats) < 0.05, "area"] = np.nan
table.loc[rng.random(n_flats) < 0.05, "heating"] = None
X_train, X_test, y_train, y_test = train_test_split(table, rent, random_state=0)
print(X_test.head(3))

# %%
# One pipeline, one program
# -------------------------

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
pipeline = make_pipeline(columns, Ridge()).fit(X_train, y_train)
quantized = skq.quantize(pipeline, X_train, n_bits=8)
print(f"R2 in floats   {pipeline.score(X_test, y_test):.3f}")
print(f"R2 in integers {quantized.score(X_test, y_test):.3f}")

# %%
# Predict tables with the saved model
# -----------------------------------
# A loaded model reads the columns by name, from a dictionary, a dataframe or an Arrow table.

with tempfile.TemporaryDirectory() as folder:
    skq.save(quantized, Path(folder) / "rent.skq")
    model = skq.load(Path(folder) / "rent.skq")

rows = {
    "heating": ["gas", None, "heat pump"],
    "district": ["Hafen", "Nord", "a new district"],
    "area": [60.0, 80.0, None],
}
print("three rows", model.predict(rows).round())
for column in model.lookup.columns:
    name = model.lookup.names[column.feature]
    codes = dict(zip(column.categories, column.codes.astype(int).tolist(), strict=True))
    print(f"{name}: {codes}, others {column.unknown:.0f}, missing {column.missing:.0f}")

# %%
# Predictions in floats and in integers
# -------------------------------------

figure, axis = plt.subplots(figsize=(5, 4.5), layout="constrained")
axis.scatter(pipeline.predict(X_test), quantized.predict(X_test), s=12)
axis.axline((500, 500), slope=1, color="gray", linewidth=1)
axis.set(xlabel="rent predicted in floats", ylabel="rent predicted in integers")
plt.show()
