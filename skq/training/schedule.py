"""Switches for observers and fake quantization during training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from skq.quantization.spec import FakeQuantizeImplBase


class QATSchedule:
    """Turn observers and fake quantization of a module on and off by step.

    At step t the observers are on if ``enable_observer <= t < disable_observer``, and fake
    quantization is on if ``t >= enable_fake_quant``. Use it as a context around the training
    loop and call `step` after each optimizer step. When the context ends, observers are off and
    fake quantization is on; the counter does not change, so a new context continues from it.

    Parameters
    ----------
    module : torch.nn.Module
        Module returned by `prepare_qat`.
    enable_observer : int, default=0
        First step at which observers are on.
    enable_fake_quant : int, default=0
        First step at which fake quantization is on; at least `enable_observer`.
    disable_observer : int or None, default=None
        First step at which observers are off; greater than `enable_observer` and at least
        `enable_fake_quant`. None means never.

    Attributes
    ----------
    step_count : int
        Number of steps so far.

    Raises
    ------
    ValueError
        If the steps are not in this order.

    Examples
    --------
    >>> import torch
    >>> from skq.training import QATSchedule, prepare_qat
    >>> module = prepare_qat(torch.nn.Linear(3, 2), torch.randn(8, 3))
    >>> with QATSchedule(module, enable_fake_quant=1, disable_observer=2) as schedule:
    ...     for _ in range(3):
    ...         print(schedule.observes, schedule.quantizes)
    ...         schedule.step()
    True False
    True True
    False True
    """

    def __init__(
        self,
        module: torch.nn.Module,
        enable_observer: int = 0,
        enable_fake_quant: int = 0,
        disable_observer: int | None = None,
    ) -> None:
        given = {"enable_observer": enable_observer, "enable_fake_quant": enable_fake_quant}
        if disable_observer is not None:
            given["disable_observer"] = disable_observer
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} must be a step count of at least 0. Got {value!r}.")
        if enable_fake_quant < enable_observer:
            raise ValueError(
                "enable_fake_quant must be at least enable_observer: there are no parameters "
                f"before. Got {enable_fake_quant} and {enable_observer}."
            )
        if disable_observer is not None and not (
            disable_observer > enable_observer and disable_observer >= enable_fake_quant
        ):
            raise ValueError(
                "disable_observer must be greater than enable_observer and at least "
                f"enable_fake_quant. Got {disable_observer}, {enable_observer} and "
                f"{enable_fake_quant}."
            )
        self.module = module
        self.enable_observer = enable_observer
        self.enable_fake_quant = enable_fake_quant
        self.disable_observer = disable_observer
        self.step_count = 0

    @property
    def observes(self) -> bool:
        """Whether observers are on at this step."""
        is_over = self.disable_observer is not None and self.step_count >= self.disable_observer
        return self.step_count >= self.enable_observer and not is_over

    @property
    def quantizes(self) -> bool:
        """Whether fake quantization is on at this step."""
        return self.step_count >= self.enable_fake_quant

    def step(self) -> None:
        """Advance the counter by one step and set the switches for it."""
        self.step_count += 1
        self._apply()

    def __enter__(self) -> QATSchedule:
        self._apply()
        return self

    def __exit__(self, *error: Any) -> None:
        switch(self.module, observer=False, fake_quant=True)

    def _apply(self) -> None:
        switch(self.module, observer=self.observes, fake_quant=self.quantizes)


@contextmanager
def calibrating(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Context manager in which a module only observes: evaluation mode, fake quantization off.

    Afterwards observers are off, fake quantization is on, and the mode is restored.

    Parameters
    ----------
    module : torch.nn.Module
        Module returned by `prepare_qat`.

    Examples
    --------
    >>> import torch
    >>> from skq.training import calibrating, prepare_qat
    >>> module = prepare_qat(torch.nn.Linear(3, 2), torch.randn(8, 3))
    >>> with calibrating(module), torch.no_grad():
    ...     _ = module(torch.randn(100, 3))
    """
    was_training = module.training
    module.eval()
    switch(module, observer=True, fake_quant=False)
    try:
        yield module
    finally:
        switch(module, observer=False, fake_quant=True)
        module.train(was_training)


def switch(module: torch.nn.Module, *, observer: bool, fake_quant: bool) -> None:
    """Set the switches of all fake quantizers of a module.

    Raises
    ------
    ValueError
        If it has none.
    """
    quantizers = [m for m in module.modules() if isinstance(m, FakeQuantizeImplBase)]
    if not quantizers:
        raise ValueError("The module has no fake quantizers: prepare it with prepare_qat first.")
    for fake_quantize in quantizers:
        fake_quantize.enable_observer(observer)
        fake_quantize.enable_fake_quant(fake_quant)
