"""What tests run in workers; it imports little, for workers import it."""

import os
import sys
from pathlib import Path


def count_models():
    """Count in this process how often a model arrives."""
    from skq.distributed import sent_model

    make = sent_model.SentModel.__init__
    sent_model.arrived = 0

    def counted(*arguments):
        sent_model.arrived += 1
        make(*arguments)

    sent_model.SentModel.__init__ = counted


def models_and_modules():
    """How often a model arrived, how many there are, and the modules of this process."""
    from skq.distributed import sent_model

    return sent_model.arrived, len(sent_model._models), set(sys.modules)


def dies_once(rows, block, flag):
    """The rows; the process that computes block 1 first dies."""
    if block == 1 and not os.path.exists(flag):
        Path(flag).touch()
        os._exit(1)
    return rows
