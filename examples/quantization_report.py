"""See what quantization costs a model, and which feature or layer it comes from."""

from sklearn.datasets import load_diabetes

from skq.inspection import quantization_report
from skq.linear_model import Ridge

X, y = load_diabetes(return_X_y=True)
for n_bits in (8, 3):
    print(quantization_report(Ridge(n_bits=n_bits).fit(X, y), X, y), end="\n\n")
