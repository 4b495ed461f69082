"""
Predict beyond one machine
==========================

:func:`skq.distributed.predict` runs a model on Dask, Spark, Ray or Arrow. This example predicts a
Dask dataframe and a Parquet file, both larger than one batch.
"""

# %%
# A model that is saved
# ---------------------
# Workers get the bytes of this file. They need NumPy and skq to run it.

import tempfile
from pathlib import Path

import dask.dataframe
import matplotlib.pyplot as plt
import numpy as np
import pyarrow.parquet
from sklearn.datasets import load_wine

import skq
from skq.distributed import predict
from skq.ensemble import RandomForestClassifier

table, y = load_wine(return_X_y=True, as_frame=True)
model = RandomForestClassifier(20, n_bits=4, random_state=0).fit(table, y)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name)
skq.save(model, path / "wine.skq")

# %%
# A Dask dataframe
# ----------------
# The result is lazy. It has the index and the divisions of the dataframe.

many = table.sample(5000, replace=True, random_state=0, ignore_index=True)
frame = dask.dataframe.from_pandas(many, npartitions=8)
probabilities = predict(path / "wine.skq", frame, "predict_proba")
print(probabilities.columns.tolist(), probabilities.npartitions, "partitions")

found = probabilities.compute()
print("equal to the model in memory:", np.array_equal(found, model.predict_proba(many)))

# %%
# A Parquet file
# --------------
# Batches are read, predicted and written one after another, in bounded memory.

many.to_parquet(path / "wine.parquet")
n_rows = predict(path / "wine.skq", path / "wine.parquet", output=path / "out.parquet")
labels = pyarrow.parquet.read_table(path / "out.parquet")["prediction"].to_numpy()
print(n_rows, "rows, equal:", np.array_equal(labels, model.predict(many)))

# %%
# The predicted labels
# --------------------

figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
for label in range(3):
    rows = many[labels == label]
    axis.scatter(rows["alcohol"], rows["proline"], s=12, label=f"class {label}")
axis.set(xlabel="alcohol", ylabel="proline", title="out.parquet")
axis.legend()
plt.show()
folder.cleanup()
