"""C files of emlearn and m2cgen for the models of `mcu_data`, made in an environment of their own.

emlearn and m2cgen are no dependencies of skq. `peers` makes an environment with both, where there
is none, and runs this file in it; that writes the C files and ``peers.json``, which lists them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import warnings
from pathlib import Path

import numpy as np
import sklearn

PACKAGES = ("emlearn", "m2cgen", f"scikit-learn=={sklearn.__version__}")

_ARGMAX = """\
#include "model.c"
static int32_t peer(const uint8_t *x)
{
    double values[64], scores[10];
    int32_t best = 0;
    for (int i = 0; i < 64; i++) {
        values[i] = x[i]SCALE;
    }
    m(values, scores);
    for (int32_t k = 1; k < 10; k++) {
        if (scores[k] > scores[best]) {
            best = k;
        }
    }
    return best;
}
"""


def peers(environment: Path, folder: Path) -> list[dict]:
    """Titles, sources and flags of the exported models.

    Parameters
    ----------
    environment : Path
        Folder of the environment; made if it is not there.
    folder : Path
        Where C files are written.
    """
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *PACKAGES], check=True)
    run = subprocess.run([python, "-c", "import sklearn"], capture_output=True, check=False)
    extra = {} if run.returncode == 0 else {"PYTHONPATH": str(Path(sklearn.__file__).parents[1])}
    subprocess.run([python, __file__, folder], check=True, env={**os.environ, **extra})
    return json.loads((folder / "peers.json").read_text())


def write(folder: Path) -> None:
    """Write the C files, in the environment that has the peers."""
    import emlearn
    import m2cgen
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    X, y = load_digits(return_X_y=True)
    X, _, y, _ = train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)
    largest = 16.0
    forest = RandomForestClassifier(10, max_depth=6, random_state=0).fit(X, y)
    logistic = LogisticRegression(max_iter=2000, random_state=0).fit(X / largest, y)
    network = MLPClassifier((16,), max_iter=600, random_state=0).fit(X / largest, y)
    made: list[dict] = []
    folder.mkdir(parents=True, exist_ok=True)

    def add(title: str, text: str, wrapper: str, dtype: str, scale: float = 1.0) -> None:
        path = folder / f"peer{len(made)}"
        path.mkdir(parents=True)
        (path / "model.c").write_text(text)
        prelude = wrapper or '#include "model.c"\n'
        call = "peer(x)" if wrapper else f"(int32_t)m_predict(x, {X.shape[1]})"
        made.append(
            {
                "title": title, "folder": str(path), "prelude": prelude, "call": call,
                "dtype": dtype, "scale": scale,
                "flags": [f"-I{path}", f"-I{emlearn.includedir}", "-w", "-lm"],
            }
        )  # fmt: skip

    def emlearn_c(estimator, **options) -> str:
        path = folder / "written.h"
        emlearn.convert(estimator, **options).save(file=str(path), name="m")
        return path.read_text()

    inline = {"method": "inline"}
    add("emlearn forest, int16", emlearn_c(forest, dtype="int16_t", **inline), "", "int16")
    add("emlearn forest, float", emlearn_c(forest, dtype="float", **inline), "", "float32")
    add("emlearn mlp", emlearn_c(network), "", "float32", largest)
    for name, estimator, scale in (
        ("forest", forest, ""),
        ("logistic", logistic, f" / {largest}"),
    ):
        text = m2cgen.export_to_c(estimator, function_name="m")
        add(f"m2cgen {name}, double", text, _ARGMAX.replace("SCALE", scale), "uint8")
    (folder / "peers.json").write_text(json.dumps(made))


def rows_for(peer: dict, rows: np.ndarray) -> np.ndarray:
    """Rows as the peer's function reads them."""
    return (
        (rows / peer["scale"]).astype(peer["dtype"])
        if peer["scale"] != 1
        else rows.astype(peer["dtype"])
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write(Path(sys.argv[1]))
