"""
Deploy with ONNX Runtime
========================

``skq.export.to_onnx`` writes the integer program in three forms. The results of "integer" and
"fast" are bit-identical to those of ``predict``; "qdq" is the form that hardware toolchains read.
This example needs onnxruntime.
"""

# %%
# Two models, three forms
# -----------------------

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skq.ensemble import RandomForestClassifier
from skq.export import to_onnx
from skq.linear_model import LogisticRegression

X_train, X_test, y_train, y_test = train_test_split(
    *load_breast_cancer(return_X_y=True), random_state=0
)
sizes = {}
for model in (
    LogisticRegression(max_iter=5000, n_bits=6),
    RandomForestClassifier(20, max_depth=6, random_state=0, n_bits=4),
):
    model.fit(X_train, y_train)
    for form in ("integer", "fast", "qdq"):
        data = to_onnx(model, form=form).SerializeToString()
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        (label,) = session.run(["label"], {"X": X_test})
        same = np.array_equal(label, model.predict(X_test))
        accuracy = np.mean(label == y_test)
        sizes[f"{type(model).__name__}\n{form}"] = len(data)
        print(
            f"{type(model).__name__}, {form}: {len(data)} bytes, accuracy {accuracy:.3f}, "
            f"the same labels: {same}"
        )

# %%
# Bytes of the ONNX files
# -----------------------

figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
bars = axis.barh(list(sizes), list(sizes.values()))
axis.bar_label(bars, padding=3)
axis.set(xlabel="bytes", xscale="log")
axis.margins(x=0.15)
axis.invert_yaxis()
plt.show()
