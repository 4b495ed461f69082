"""Quantizers of values that quantization-aware training left on a grid (`is_qat=True`)."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skq.quantization.quantizers import (
    MinMaxQuantizationStats,
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizer,
)


def grid_stats(codes, scale, dtype=np.float64):
    stats = MinMaxQuantizationStats()
    stats.compute_quantization_stats((np.asarray(codes) * dtype(scale)).astype(dtype))
    return stats


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [0.1, 1.0, 0.0371, 1e-3, 12345.678])
@pytest.mark.parametrize(
    ("codes", "n_bits", "is_signed"),
    [
        ([-4, -3, 0, 1, 3], 3, True),
        ([0, 2, 3, 7], 3, False),
        ([-1, 1], 2, True),
        (range(-128, 128), 8, True),
        (range(256), 8, False),
        ([-255, -1, 0, 77, 255], 9, True),
        ([0, 1, 65535], 16, False),
    ],
)
def test_qat_finds_the_grid(codes, n_bits, is_signed, scale, dtype):
    stats = grid_stats(codes, scale, dtype)
    options = QuantizationOptions(n_bits, is_signed=is_signed, is_qat=True)
    assert stats.check_is_uniform_quantized(options)
    quantizer = UniformQuantizer(options, stats)
    np.testing.assert_allclose(quantizer.scale, scale, rtol=1e-6)
    assert quantizer.zero_point == 0
    assert quantizer.quant(stats.uvalues).tolist() == list(codes)


def test_qat_scale_is_exact_for_exact_values():
    assert QuantizedArray(3, [-0.5, 0.25, 0.5], is_signed=True, is_qat=True).quantizer.scale == 0.25


def test_qat_zero_point_moves_no_further_than_needed():
    array = QuantizedArray(3, [-0.5, 0.25, 0.5], is_qat=True)
    assert array.quantizer.zero_point == 2
    assert array.qvalues.tolist() == [0, 3, 4]
    array = QuantizedArray(1, [1000.0, 1001.0], is_qat=True)
    assert array.quantizer.zero_point == -1000
    np.testing.assert_array_equal(array.dequant(), array.values)


@pytest.mark.parametrize(
    ("values", "n_bits"),
    [
        (np.random.default_rng(0).normal(size=50), 8),  # not discrete
        (np.random.default_rng(0).normal(size=3), 8),
        (np.arange(9), 3),  # one level too many
        ([0, 1, 8], 3),  # few levels, too far apart
        ([0.0, 1.0, 2.2], 8),  # a gap that is no multiple
        ([0.1, 1.1, 2.1], 3),  # no code for real zero
    ],
)
def test_qat_refuses_what_is_no_grid(values, n_bits):
    options = QuantizationOptions(n_bits, is_qat=True)
    stats = MinMaxQuantizationStats()
    stats.compute_quantization_stats(values)
    assert not stats.check_is_uniform_quantized(options)
    with pytest.raises(ValueError, match="is_qat=True needs values on a uniform grid"):
        QuantizedArray(n_bits, values, is_qat=True)


def test_check_is_uniform_quantized_is_about_qat():
    stats = grid_stats([0, 1, 2], 0.5)
    assert stats.check_is_uniform_quantized(QuantizationOptions(2, is_qat=True))
    assert not stats.check_is_uniform_quantized(QuantizationOptions(2))
    stats.uvalues = None
    assert not stats.check_is_uniform_quantized(QuantizationOptions(2, is_qat=True))


def test_qat_symmetric_keeps_the_zero_point():
    options = QuantizationOptions(3, is_signed=True, is_symmetric=True, is_qat=True)
    assert grid_stats([-3, 3, 1], 0.5).check_is_uniform_quantized(options)
    assert not grid_stats([-4, 3, 1], 0.5).check_is_uniform_quantized(options)


def test_only_so_many_distinct_values_are_recorded():
    stats = MinMaxQuantizationStats()
    stats.compute_quantization_stats(np.arange(2**16 + 1))
    assert stats.uvalues is None
    assert (stats.rmin, stats.rmax) == (0.0, 65536.0)


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(
            st.just(n), st.sets(st.integers(-(2 ** (n - 1)), 2 ** (n - 1) - 1), min_size=1)
        )
    ),
    st.floats(1e-3, 1e3),
)
@settings(max_examples=150, deadline=None)
def test_qat_is_lossless_or_refused(case, scale):
    n_bits, codes = case
    codes = sorted(codes)
    stats = grid_stats(codes, scale)
    options = QuantizationOptions(n_bits, is_signed=True, is_qat=True)
    with_zero = sorted({*codes, 0})
    gaps = [b - a for a, b in zip(with_zero, with_zero[1:], strict=False)]
    multiples = all(Fraction(gap, min(gaps)).denominator == 1 for gap in gaps)
    assert stats.check_is_uniform_quantized(options) == multiples
    if multiples:
        back = UniformQuantizer(options, stats)
        np.testing.assert_allclose(
            back.dequant(back.quant(stats.uvalues)), stats.uvalues, rtol=1e-9, atol=1e-12
        )
