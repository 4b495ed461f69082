"""What a model is once it is quantized: a few typed integer instructions.

Run it with ``python examples/read_the_program.py``.
"""

from sklearn.datasets import load_iris

from skq.neural_network import MLPClassifier
from skq.tree import DecisionTreeClassifier

X, y = load_iris(return_X_y=True)

models = [
    DecisionTreeClassifier(max_depth=3, random_state=0, n_bits=4),
    MLPClassifier((8,), solver="lbfgs", max_iter=500, random_state=0, n_bits=4),
]
for model in models:
    module = model.fit(X, y).quantized_module_
    print(f"{type(model).__name__}, accuracy {model.score(X, y):.3f}")
    print(module.program)
    print(f"widest accumulator: {module.max_accumulator_bits} bits; {module.nbytes} bytes\n")
