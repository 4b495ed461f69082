"""The search for parameters: ranges, grids, weights, and what they cost the model."""
