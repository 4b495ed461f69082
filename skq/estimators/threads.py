"""Number of threads of a prediction: never more than scikit-learn or its libraries would use."""

from __future__ import annotations

from functools import cache
from typing import Any

from skq._config import threads_setting
from skq.program.instructions import MatMul
from skq.quantization.quantized_module import QuantizedModule

#: For tables of fewer values a second thread costs more than it saves.
THREADED_VALUES = 1 << 16

#: Without `n_jobs` or a setting: at most one thread for each so many values.
VALUES_A_THREAD = 1 << 15


def threads_of(estimator: Any, module: QuantizedModule, n_values: int) -> int:
    """Threads for predicting with a fitted estimator.

    If the setting ``n_threads`` is not None, it is used. Otherwise the number is ``n_jobs`` of the
    estimator, or of the estimator inside it; None means that of `joblib.parallel_config`. Models
    without ``n_jobs``, and those that multiply matrices (for which scikit-learn uses BLAS), use as
    many threads as the libraries of NumPy and scikit-learn, at most one for each 32768 values:
    `threadpoolctl` and ``OMP_NUM_THREADS`` limit them.

    Parameters
    ----------
    estimator : estimator
    module : QuantizedModule
        That of the estimator.
    n_values : int
        Values of the table to predict for.

    Returns
    -------
    int
        1 for small tables, and inside joblib workers.
    """
    if n_values < THREADED_VALUES:
        return 1
    setting = threads_setting()
    if setting is not None:
        return setting
    params = getattr(estimator, "_float_model", estimator).get_params()
    jobs = {value for name, value in params.items() if name.rpartition("__")[2] == "n_jobs"}
    multiplies = any(isinstance(step, MatMul) for step in module.program.instructions)
    if jobs - {None} or (jobs and not multiplies):
        return max(map(threads_for, jobs - {None} or jobs))
    return 1 if _in_a_worker() else min(library_threads(), n_values // VALUES_A_THREAD)


def threads_for(n_jobs: int | None) -> int:
    """Threads for an estimator's `n_jobs`: 1 inside joblib workers.

    None means 1 unless `joblib.parallel_config` sets another number; -1 means all cores.
    """
    if n_jobs == 1:
        return 1
    from joblib import effective_n_jobs

    return 1 if _in_a_worker() else int(effective_n_jobs(n_jobs))


def library_threads() -> int:
    """Fewest threads that a BLAS or OpenMP library of this process may use now; 1 without any."""
    counts = (library.num_threads for library in _thread_pools().lib_controllers)
    return min((count for count in counts if count), default=1)


def _in_a_worker() -> bool:
    from joblib.parallel import get_active_backend

    return (get_active_backend()[0].nesting_level or 0) > 0


@cache
def _thread_pools() -> Any:
    """The loaded libraries, cached: listing them takes milliseconds, a query does not."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
