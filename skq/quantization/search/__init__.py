"""The search for parameters: ranges, grids and weights, by the error of the model."""
