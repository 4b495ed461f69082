"""The quantizer vocabulary: the numbers of the seeds, the formulas, the corners."""

import inspect
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skq.exceptions import SerializationError
from skq.quantization.quantizers import (
    STABILITY_CONST,
    MinMaxQuantizationStats,
    QuantizationOptions,
    QuantizedArray,
    UniformQuantizationParameters,
    UniformQuantizer,
    fill_from_kwargs,
)

METHODS = [(False, False), (True, False), (True, True)]


@pytest.fixture(name="seed_values")
def _seed_values():
    return np.random.RandomState(0).uniform(-2, 2, 10)


# --- the documents in seeds/ --------------------------------------------------------------------


def test_seed_example_affine_7_bits(seed_values):
    array = QuantizedArray(7, seed_values)
    assert array.qvalues.tolist() == [37, 73, 48, 36, 9, 58, 12, 112, 127, 0]
    assert array.quantizer.scale == 0.018274684777173276
    assert array.quantizer.zero_point == 26
    expected = [0.20102153, 0.85891018, 0.40204307, 0.18274685, -0.31066964]
    expected += [0.58478991, -0.25584559, 1.57162289, 1.84574316, -0.4751418]
    np.testing.assert_allclose(array.dequant(), expected, rtol=0, atol=5e-9)


def test_seed_example_affine_3_bits(seed_values):
    array = QuantizedArray(3, seed_values)
    assert array.qvalues.tolist() == [2, 4, 2, 2, 0, 3, 0, 6, 7, 0]
    assert array.quantizer.zero_point == 1


def test_seed_example_signed_symmetric_3_bits(seed_values):
    array = QuantizedArray(3, seed_values, is_signed=True, is_symmetric=True)
    assert array.qvalues.tolist() == [0, 1, 1, 0, 0, 1, 0, 3, 3, -1]
    assert array.quantizer.zero_point == 0


def test_seed_example_codes_with_given_parameters(seed_values):
    array = QuantizedArray(3, seed_values, is_signed=True, is_symmetric=True)
    q_values = [0, 0, 1, 2, 3, -1]
    result = QuantizedArray(
        array.quantizer.n_bits,
        q_values,
        value_is_float=False,
        options=array.quantizer.quant_options,
        stats=array.quantizer.quant_stats,
        params=array.quantizer.quant_params,
    ).dequant()
    np.testing.assert_array_equal(result, np.array(q_values) * (seed_values.max() / 3))


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (QuantizationOptions, "n_bits, is_signed=False, is_symmetric=False, is_qat=False"),
        (MinMaxQuantizationStats, "rmax=None, rmin=None, uvalues=None"),
        (UniformQuantizationParameters, "scale=None, zero_point=None, offset=None"),
        (UniformQuantizer, "options=None, stats=None, params=None, no_clipping=False"),
        (
            QuantizedArray,
            "n_bits, values, value_is_float=True, options=None, stats=None, params=None, **kwargs",
        ),
        (fill_from_kwargs, "obj, klass, **kwargs"),
        (QuantizationOptions.is_equal, "self, opts, ignore_sign_qat=False"),
        (MinMaxQuantizationStats.check_is_uniform_quantized, "self, options"),
        (MinMaxQuantizationStats.compute_quantization_stats, "self, values"),
        (UniformQuantizationParameters.compute_quantization_parameters, "self, options, stats"),
        (QuantizedArray.update_values, "self, values"),
        (QuantizedArray.update_quantized_values, "self, qvalues"),
    ],
)
def test_signatures_are_those_of_the_seeds(function, signature):
    parameters = inspect.signature(function).parameters.values()
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    assert ", ".join(map(str, plain)) == signature


def test_stability_const():
    assert STABILITY_CONST == 10**-6


# --- formulas -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bits", [1, 2, 5, 8, 16, 31, 32])
@pytest.mark.parametrize(("is_signed", "is_symmetric"), METHODS)
def test_codes_cover_their_range_and_come_back_within_half_a_step(n_bits, is_signed, is_symmetric):
    values = np.random.default_rng(n_bits).normal(0.3, 2.0, size=(7, 11))
    array = QuantizedArray(n_bits, values, is_signed=is_signed, is_symmetric=is_symmetric)
    quantizer = array.quantizer
    lowest = -(2 ** (n_bits - 1)) if is_signed else 0
    assert array.qvalues.dtype == np.int64
    assert array.qvalues.shape == values.shape
    assert array.qvalues.min() >= lowest
    assert array.qvalues.max() <= lowest + 2**n_bits - 1
    assert quantizer.offset == -lowest
    if is_symmetric:
        assert quantizer.zero_point == 0
        assert quantizer.scale == np.abs(values).max() / max(2 ** (n_bits - 1) - 1, 1)
    else:
        assert quantizer.scale == (values.max() - values.min()) / (2**n_bits - 1)
        assert quantizer.zero_point == np.rint(-values.min() / quantizer.scale) + lowest
    # One signed bit has no positive code.
    steps = 1.0 if n_bits == 1 and is_symmetric else 0.5
    assert np.abs(array.dequant() - values).max() <= quantizer.scale * (steps + 1e-6)


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20),
    st.integers(1, 32),
    st.sampled_from(METHODS),
)
@settings(max_examples=200, deadline=None)
def test_any_values_give_codes_in_range_and_are_near(values, n_bits, method):
    is_signed, is_symmetric = method
    array = QuantizedArray(n_bits, values, is_signed=is_signed, is_symmetric=is_symmetric)
    quantizer = array.quantizer
    lowest = -(2 ** (n_bits - 1)) if is_signed else 0
    assert lowest <= array.qvalues.min()
    assert array.qvalues.max() <= lowest + 2**n_bits - 1
    tolerance = STABILITY_CONST + 1e-15 * np.abs(values).max()
    steps = 1.0 if n_bits == 1 and is_symmetric else 0.5
    if max(values) - min(values) >= STABILITY_CONST:
        tolerance += quantizer.scale * steps
    elif n_bits == 1 and is_symmetric:
        return  # a positive constant has no code
    assert np.abs(array.dequant() - values).max() <= tolerance


def test_symmetric_codes_are_odd():
    values = np.linspace(-3, 3, 25)
    codes = QuantizedArray(4, values, is_signed=True, is_symmetric=True).qvalues
    np.testing.assert_array_equal(codes, -codes[::-1])
    assert codes.min() == -7
    assert codes.max() == 7


def test_symmetric_unsigned_uses_all_codes_for_positive_values_and_refuses_others():
    array = QuantizedArray(3, [0.0, 1.0, 7.0], is_symmetric=True)
    assert array.qvalues.tolist() == [0, 1, 7]
    assert array.quantizer.zero_point == 0
    with pytest.raises(ValueError, match=r"values below 0, got rmin=-1\.0\. Use is_signed=True"):
        QuantizedArray(3, [-1.0, 7.0], is_symmetric=True)


@pytest.mark.parametrize(("is_signed", "is_symmetric"), METHODS)
def test_values_out_of_range_saturate(is_signed, is_symmetric):
    options = QuantizationOptions(4, is_signed, is_symmetric)
    stats = MinMaxQuantizationStats(rmax=1.0, rmin=-1.0)
    quantizer = UniformQuantizer(options, stats)
    np.testing.assert_array_equal(
        quantizer.quant([-np.inf, -99.0, 99.0, np.inf]), quantizer.quant([-1.0, -1.0, 1.0, 1.0])
    )
    free = UniformQuantizer(options, stats, no_clipping=True)
    assert free.quant(99.0) == np.rint(99.0 / free.scale + free.zero_point)


def test_ties_go_to_even():
    quantizer = UniformQuantizer(QuantizationOptions(4), MinMaxQuantizationStats(15, 0))
    assert quantizer.quant([0.5, 1.5, 2.5, 3.5]).tolist() == [0, 2, 2, 4]


def test_one_signed_symmetric_bit_tells_the_large_negatives():
    array = QuantizedArray(1, [-4.0, -1.0, 0.0, 3.0], is_signed=True, is_symmetric=True)
    assert array.qvalues.tolist() == [-1, 0, 0, 0]
    constant = QuantizedArray(1, [3.0], is_signed=True, is_symmetric=True)
    assert constant.quantizer.zero_point == 0
    assert constant.qvalues.tolist() == [0]


# --- constants and extreme ranges ---------------------------------------------------------------


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("n_bits", [1, 4, 8, 32])
@pytest.mark.parametrize("constant", [0.0, 1.0, 5.0, 0.3, 1e9, 1e-3, -0.3, -2.0, -1e9])
def test_a_constant_comes_back_exactly(constant, n_bits, is_signed):
    array = QuantizedArray(n_bits, np.full((2, 3), constant), is_signed=is_signed)
    np.testing.assert_array_equal(array.dequant(), np.full((2, 3), constant))


@pytest.mark.parametrize("constant", [0.3, -0.3, 5.0, 1e9])
def test_a_symmetric_constant_comes_back_exactly(constant):
    array = QuantizedArray(2, [constant], is_signed=True, is_symmetric=True)
    np.testing.assert_array_equal(array.dequant(), [constant])
    assert array.quantizer.zero_point == 0


@pytest.mark.parametrize("constant", [0.0, 1.0, 7.0, 1e-7])
def test_scale_one_and_zero_point_zero_where_a_constant_is_a_code(constant):
    quantizer = QuantizedArray(3, [constant, constant]).quantizer
    assert quantizer.scale == 1
    assert quantizer.zero_point == 0


def test_a_range_below_the_stability_constant_is_a_constant():
    array = QuantizedArray(8, [5.3, 5.3 + 0.5 * STABILITY_CONST])
    np.testing.assert_allclose(array.dequant(), array.values, rtol=0, atol=STABILITY_CONST)
    assert QuantizedArray(8, [5.3, 5.3 + 2 * STABILITY_CONST]).qvalues.tolist() == [0, 255]


def test_a_step_finer_than_float64_is_widened():
    values = np.array([1e15, 1e15 + 0.125])
    array = QuantizedArray(32, values)
    np.testing.assert_array_equal(array.dequant(), values)
    assert abs(array.quantizer.zero_point) <= 2**53


def test_a_range_wider_than_float64_is_refused():
    with pytest.raises(ValueError, match="too wide for float64"):
        QuantizedArray(8, [-1.7e308, 1.7e308])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_calibration_values_must_be_finite(bad):
    with pytest.raises(ValueError, match="must be finite"):
        QuantizedArray(8, [0.0, bad])


# --- channels and shapes ------------------------------------------------------------------------


@pytest.mark.parametrize(("is_signed", "is_symmetric"), METHODS)
def test_a_range_per_channel_is_one_quantizer_per_channel(is_signed, is_symmetric):
    values = np.random.default_rng(0).normal(size=(50, 4)) * [1.0, 10.0, 0.0, 1e-3] + [0, 1, 2, 3]
    array = QuantizedArray(
        5,
        values,
        rmax=values.max(axis=0),
        rmin=values.min(axis=0),
        is_signed=is_signed,
        is_symmetric=is_symmetric,
    )
    assert array.quantizer.scale.shape == (4,)
    assert array.quantizer.zero_point.dtype == np.int64
    for j in range(4):
        alone = QuantizedArray(5, values[:, j], is_signed=is_signed, is_symmetric=is_symmetric)
        np.testing.assert_array_equal(array.qvalues[:, j], alone.qvalues)
        np.testing.assert_array_equal(array.dequant()[:, j], alone.dequant())


def test_parameters_that_widen_the_values_are_refused():
    with pytest.raises(ValueError, match="must broadcast against the values"):
        QuantizedArray(5, [1.0, 2.0], scale=[[1.0], [2.0]], zero_point=[[0], [0]])


@pytest.mark.parametrize("shape", [(), (1,), (3, 0), (2, 3, 4, 5)])
def test_any_shape(shape):
    array = QuantizedArray(4, np.ones(shape), rmax=2, rmin=0)
    assert array.values.shape == array.qvalues.shape == array.dequant().shape == shape


def test_no_values_at_all():
    array = QuantizedArray(4, None, rmax=15, rmin=0)
    assert array.values is None
    assert array.qvalues is None
    assert array.quant() is None
    with pytest.raises(ValueError, match="no codes yet"):
        array.dequant()
    assert array.update_values([1.0, 99.0]).tolist() == [1, 15]
    with pytest.raises(ValueError, match="no scale and zero point yet"):
        QuantizedArray(4, None).update_values([1.0])
    with pytest.raises(ValueError, match="no values"):
        QuantizedArray(4, [])


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bits", [True, 8.0, "8", None, 0, -1, 33, np.float64(8), [8]])
def test_bad_n_bits(n_bits):
    for make in (QuantizationOptions, lambda n: QuantizedArray(n, [1.0, 2.0])):
        with pytest.raises(ValueError, match=r"n_bits must be an integer in \[1, 32\], got"):
            make(n_bits)


@pytest.mark.parametrize("n_bits", [1, 32, np.int64(8), np.uint8(8)])
def test_good_n_bits(n_bits):
    options = QuantizationOptions(n_bits)
    assert options.n_bits == n_bits
    assert type(options.n_bits) is int


@pytest.mark.parametrize("flag", ["is_signed", "is_symmetric", "is_qat"])
def test_flags_are_bools(flag):
    with pytest.raises(TypeError, match=f"{flag} is True or False, got 1"):
        QuantizationOptions(8, **{flag: 1})


def test_keywords_give_a_whole_range():
    array = QuantizedArray(2, [-1.0, 0.2, 1.1, 9.0], rmax=2, rmin=-1)
    assert array.qvalues.tolist() == [0, 1, 2, 3]
    assert array.quantizer.scale == 1


@pytest.mark.parametrize(
    ("kwargs", "missing", "present"),
    [
        ({"rmax": 2}, "rmin", "rmax"),
        ({"rmin": 2}, "rmax", "rmin"),
        ({"uvalues": [1.0]}, "rmax, rmin", "uvalues"),
        ({"scale": 2}, "zero_point", "scale"),
        ({"offset": 0, "zero_point": 1}, "scale", "offset, zero_point"),
    ],
)
def test_an_incomplete_set_names_what_is_missing(kwargs, missing, present):
    with pytest.raises(TypeError, match=f"missing {missing}; given {present}"):
        QuantizedArray(2, [1.0, 2.0], **kwargs)


def test_an_unknown_keyword_is_named():
    with pytest.raises(TypeError, match="unknown arguments: rmaxx, axis"):
        QuantizedArray(2, [1.0], rmax=2, rmin=-1, rmaxx=2, axis=0)


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"rmax": "2", "rmin": "1"}, TypeError),
        ({"rmax": 1j, "rmin": 0}, TypeError),
        ({"rmax": 1, "rmin": 2}, ValueError),
        ({"rmax": np.nan, "rmin": 0}, ValueError),
        ({"scale": 0.0, "zero_point": 0}, ValueError),
        ({"scale": [1.0, -1.0], "zero_point": 0}, ValueError),
        ({"scale": 1.0, "zero_point": 0, "offset": 0.5}, TypeError),
    ],
)
def test_members_that_make_no_sense(kwargs, error):
    with pytest.raises(error):
        QuantizedArray(2, [1.0, 2.0], **kwargs)


def test_a_record_of_a_wrong_class_is_refused():
    with pytest.raises(TypeError, match="expected UniformQuantizationParameters, got 3"):
        UniformQuantizer(QuantizationOptions(2), params=3)


def test_fill_from_kwargs():
    stats, rest = fill_from_kwargs(None, MinMaxQuantizationStats, is_signed=True)
    assert stats is None
    assert rest == {"is_signed": True}
    options = QuantizationOptions(4)
    filled, rest = fill_from_kwargs(options, QuantizationOptions, is_signed=True, rmax=1)
    assert filled is options
    assert options == QuantizationOptions(4, is_signed=True)
    assert rest == {"rmax": 1}
    with pytest.raises(TypeError, match="missing n_bits; given is_signed"):
        fill_from_kwargs(None, QuantizationOptions, is_signed=True)
    with pytest.raises(TypeError):
        fill_from_kwargs(None, QuantizationOptions, n_bits="3")
    with pytest.raises(TypeError):
        fill_from_kwargs(options, QuantizationOptions, is_signed="yes")
    assert options.is_signed is True


def test_n_bits_overrides_the_options_without_touching_them():
    options = QuantizationOptions(8, is_signed=True)
    array = QuantizedArray(3, [-1.0, 1.0], options=options)
    assert array.n_bits == array.quantizer.n_bits == 3
    assert array.quantizer.is_signed
    assert options.n_bits == 8


def test_parameters_take_precedence_over_the_range():
    array = QuantizedArray(4, [0.0, 1.0], rmax=1, rmin=0, scale=0.5, zero_point=3)
    assert array.qvalues.tolist() == [3, 5]
    assert array.quantizer.offset == 0
    assert QuantizedArray(4, [-9.0], is_signed=True, scale=1, zero_point=0).qvalues.item() == -8
    assert QuantizedArray(4, [-9.0], scale=1, zero_point=0, offset=5).qvalues.item() == -5


def test_codes_need_parameters_and_integers():
    with pytest.raises(ValueError, match="codes need a scale and a zero point"):
        QuantizedArray(4, [1, 2], value_is_float=False)
    with pytest.raises(TypeError, match="codes must be integers"):
        QuantizedArray(4, [0.5], value_is_float=False, scale=1, zero_point=0)
    with pytest.raises(ValueError, match="codes must be in"):
        QuantizedArray(4, [2**60], value_is_float=False, scale=1, zero_point=0)
    codes = QuantizedArray(4, [0, 500], value_is_float=False, rmax=30, rmin=0)
    assert codes.values.tolist() == [0.0, 1000.0]
    assert codes.qvalues.tolist() == [0, 500]


def test_a_quantizer_without_what_it_needs_says_so():
    with pytest.raises(ValueError, match="no scale and zero point yet"):
        UniformQuantizer(QuantizationOptions(3)).quant([1.0])
    parameters = UniformQuantizationParameters(0.5, 1)
    assert UniformQuantizer(params=parameters).dequant([3]).tolist() == [1.0]
    with pytest.raises(ValueError, match="n_bits is needed"):
        UniformQuantizer(params=parameters).quant([1.0])
    assert UniformQuantizer(params=parameters, no_clipping=True).quant([1.0]).tolist() == [3]
    with pytest.raises(ValueError, match="rmin and rmax are needed"):
        parameters.compute_quantization_parameters(
            QuantizationOptions(3), MinMaxQuantizationStats(rmax=1.0)
        )


# --- state --------------------------------------------------------------------------------------


def test_values_and_codes_stay_in_sync(seed_values):
    array = QuantizedArray(5, seed_values)
    codes = array.update_values(seed_values[:3])
    np.testing.assert_array_equal(array.values, seed_values[:3])
    np.testing.assert_array_equal(array.qvalues, codes)
    np.testing.assert_array_equal(array.quant(), codes)
    values = array.update_quantized_values([0, 31, 7])
    np.testing.assert_array_equal(array.values, values)
    np.testing.assert_array_equal(array.values, array.dequant())
    assert array.qvalues.tolist() == [0, 31, 7]
    array.values = seed_values[3:5]
    np.testing.assert_array_equal(array.qvalues, array.quantizer.quant(seed_values[3:5]))
    array.qvalues = [1, 2]
    np.testing.assert_array_equal(array.values, array.quantizer.dequant([1, 2]))


def test_nobody_can_change_half_of_the_pair(seed_values):
    given_values = seed_values.copy()
    array = QuantizedArray(5, given_values)
    given_values[:] = 0
    np.testing.assert_array_equal(array.values, seed_values)
    for half in (array.values, array.qvalues):
        with pytest.raises(ValueError, match="read-only"):
            half[0] = 1


def test_properties_and_copies_are_independent():
    rmax = np.array([1.0, 2.0])
    quantizer = UniformQuantizer(QuantizationOptions(4), MinMaxQuantizationStats(rmax, -rmax))
    for name, record in (
        ("quant_options", QuantizationOptions(4)),
        ("quant_stats", MinMaxQuantizationStats(rmax, -rmax)),
        ("quant_params", UniformQuantizationParameters(2 * rmax / 15, [8, 8], 0)),
    ):
        copied = getattr(quantizer, name)
        assert type(copied) is type(record)
        assert copied == record
        assert copied is not getattr(quantizer, name)
    quantizer.quant_stats.rmax[0] = 99.0
    quantizer.quant_params.scale[0] = 99.0
    assert quantizer.rmax[0] == 1.0
    assert quantizer.scale[0] == 2 / 15

    other = UniformQuantizer()
    other.copy_opts(quantizer)
    other.copy_stats(quantizer)
    other.copy_params(quantizer)
    assert other == quantizer
    other.rmax[0] = 99.0
    assert other != quantizer


def test_is_equal():
    options = QuantizationOptions(4, is_signed=True, is_qat=True)
    assert options.is_equal(QuantizationOptions(4, is_signed=True, is_qat=True))
    unsigned = QuantizationOptions(4, is_qat=True)
    assert not options.is_equal(unsigned)
    assert options.is_equal(unsigned, ignore_sign_qat=True)
    assert not options.is_equal(QuantizationOptions(5, is_qat=True), ignore_sign_qat=True)
    assert not QuantizationOptions(4).is_equal(QuantizationOptions(4, True), ignore_sign_qat=True)
    assert UniformQuantizer(options).is_equal(options)


def test_equality_compares_classes_and_all_members():
    options, stats = QuantizationOptions(4), MinMaxQuantizationStats(2.0, 0.0)
    assert UniformQuantizer(options, stats) == UniformQuantizer(options, stats)
    assert UniformQuantizer(options, stats) != UniformQuantizer(options, stats, no_clipping=True)
    assert UniformQuantizer(options) != options
    assert stats != MinMaxQuantizationStats(np.array([2.0, 2.0]), 0.0)


# --- persistence --------------------------------------------------------------------------------


def _objects():
    values = np.random.RandomState(0).normal(size=(5, 3))
    array = QuantizedArray(7, values, is_signed=True)
    channels = QuantizedArray(7, values, rmax=values.max(axis=0), rmin=values.min(axis=0))
    codes = QuantizedArray(7, [1, 900], value_is_float=False, scale=0.1, zero_point=3)
    return [
        array.quantizer.quant_options,
        array.quantizer.quant_stats,
        array.quantizer.quant_params,
        array.quantizer,
        UniformQuantizer(),
        UniformQuantizer(QuantizationOptions(3), no_clipping=True),
        UniformQuantizer(params=UniformQuantizationParameters(0.5, 0.25)),
        array,
        channels,
        codes,
        QuantizedArray(7, None),
    ]


@pytest.mark.parametrize("obj", _objects(), ids=lambda obj: type(obj).__name__)
def test_everything_round_trips(obj):
    cls = type(obj)
    file = io.StringIO()
    obj.dump(file)
    assert file.getvalue() == obj.dumps()
    file.seek(0)
    for back in (cls.load_dict(obj.dump_dict()), cls.loads(obj.dumps()), cls.load(file)):
        assert type(back) is cls
        assert back == obj
        assert back.dumps() == obj.dumps()


def test_loading_checks_the_class():
    text = QuantizationOptions(3).dumps()
    with pytest.raises(SerializationError, match="expected QuantizedArray, got Quantization"):
        QuantizedArray.loads(text)


def test_incomplete_keywords_are_refused_with_a_record_too():
    values = [0.0, 1.0]
    with pytest.raises(TypeError, match="incomplete: missing rmin; given rmax"):
        QuantizedArray(2, values, stats=MinMaxQuantizationStats(), rmax=1.0)
    with pytest.raises(TypeError, match="incomplete: missing zero_point; given scale"):
        QuantizedArray(2, values, params=UniformQuantizationParameters(), scale=0.5)
    stats = MinMaxQuantizationStats()
    with pytest.raises(TypeError, match="incomplete: missing rmin"):
        fill_from_kwargs(stats, MinMaxQuantizationStats, rmax=1.0)
    assert stats.rmax is None
    filled, _ = fill_from_kwargs(
        MinMaxQuantizationStats(rmax=2.0, rmin=-1.0), MinMaxQuantizationStats, rmax=1.0
    )
    assert (filled.rmin, filled.rmax) == (-1.0, 1.0)


def test_quant_and_dequant_update_the_array():
    array = QuantizedArray(3, [0.0, 2.0, 6.0], rmax=7.0, rmin=0.0)
    np.testing.assert_array_equal(array.qvalues, [0, 2, 6])
    array.quantizer.scale = 2.0
    np.testing.assert_array_equal(array.quant(), [0, 1, 3])
    np.testing.assert_array_equal(array.qvalues, [0, 1, 3])
    np.testing.assert_array_equal(array(), [0, 1, 3])
    np.testing.assert_array_equal(array.values, [0.0, 2.0, 6.0])
    array.quantizer.scale = 4.0
    np.testing.assert_array_equal(array.dequant(), [0.0, 4.0, 12.0])
    np.testing.assert_array_equal(array.values, [0.0, 4.0, 12.0])
    assert QuantizedArray(3, None, rmax=7.0, rmin=0.0)() is None
