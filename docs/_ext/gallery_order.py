"""The order of the examples in the gallery."""

#: From a first model to deployment; an example that is not named here comes last.
ORDER = [
    "score_against_bits",
    "linear_models",
    "decision_tree",
    "random_forest",
    "gradient_boosting",
    "neural_network",
    "outlier_detection",
    "choose_n_bits",
    "bit_width_search",
    "accumulator_widths",
    "calibration_of_ranges",
    "quantization_report",
    "values_beyond_the_range",
    "several_columns",
    "trees_without_loss",
    "train_for_few_bits",
    "quantize_a_pipeline",
    "tables_of_text",
    "read_the_program",
    "save_and_load",
    "deploy_on_a_microcontroller",
    "deploy_with_onnx_runtime",
    "beyond_one_machine",
    "command_line",
]

#: `make demo` runs it: it prints tables for minutes and is no page of the gallery.
EXAMPLES_NOT_RUN = ["demo"]


def example_order(file_name: str) -> tuple[int, str]:
    """Sort key of a file of examples/."""
    stem = file_name.rsplit("/")[-1].removesuffix(".py")
    return (ORDER.index(stem) if stem in ORDER else len(ORDER), stem)
