"""What a loaded model needs to predict: outputs, saturation, saved models. No scikit-learn."""
