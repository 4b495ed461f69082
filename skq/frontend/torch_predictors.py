"""`Predictor` as a torch module: scores, of one model or of an ensemble, then the head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from skq.frontend.predictors import Ensemble, Predictor, Scores
from skq.frontend.torch_ensembles import EnsembleModule
from skq.frontend.torch_modules import outputs_of, scores_module


class PredictorModule(nn.Module):
    """Scores and head: returns the outputs that ``head.output_names`` lists.

    Parameters
    ----------
    predictor : Predictor
    module_of : callable
        ``module_of(model, n_features)`` makes the module of a base estimator: of a `Predictor`, or
        of a Pipeline that ends in one.
    """

    def __init__(self, predictor: Predictor, module_of: Callable[[Any, int], nn.Module]) -> None:
        super().__init__()

        def module(scores: Scores) -> nn.Module:
            if isinstance(scores, Ensemble):
                return EnsembleModule(scores, module_of)
            return scores_module(scores)

        self.scores = module(predictor.scores)
        self.decision = None if predictor.decision is None else module(predictor.decision)
        self.head = predictor.head

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outputs = outputs_of(self.head, self.scores(x))
        if self.decision is None:
            return outputs
        decision = self.decision(x)
        return (decision[:, 0] if decision.shape[1] == 1 else decision, *outputs[1:])
