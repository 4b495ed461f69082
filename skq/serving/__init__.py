"""Prediction with a loaded model: outputs, saturation, saved models. Needs no scikit-learn."""
