"""The mechanism of the estimators: fit the parent, convert it, quantize it, predict in integers."""
