"""A forest as C99 without floats: two files for a microcontroller.

Run it with ``python examples/deploy_on_a_microcontroller.py``.
"""

import tempfile
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skq.ensemble import RandomForestClassifier
from skq.export import to_c

X, y = load_digits(return_X_y=True)  # 8 x 8 pixels from 0 to 16
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
forest = RandomForestClassifier(10, max_depth=6, random_state=0, n_bits=3).fit(X_train, y_train)
print(f"accuracy in integers {forest.score(X_test, y_test):.3f}")

files = to_c(forest, name="digits", features="uint8")
print(files.report())
with tempfile.TemporaryDirectory() as folder:
    for path in files.write(folder):
        print(f"{path.name}: {len(Path(path).read_text().splitlines())} lines")
print("\n".join(files.header.splitlines()[:16]))
