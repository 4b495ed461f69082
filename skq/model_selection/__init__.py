"""Choose bit widths by cross-validation."""

from skq.model_selection._costs import COSTS
from skq.model_selection._search import BitWidthSearchCV

__all__ = ["COSTS", "BitWidthSearchCV"]
