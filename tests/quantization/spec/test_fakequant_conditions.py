"""Each condition of the vectors raises its error, or gives its value."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

from skq.quantization.spec import (
    CompressionTargetTensor,
    FakeQuantizeImplBase,
    MinMaxRangeCalculator,
    PartialConstructor,
    PerBlockGranularity,
    PerChannelGranularity,
    PerTensorGranularity,
    QParamsCalculatorBase,
    QuantizationComponentFactory,
    QuantizationFormulation,
    QuantizationGranularity,
    QuantizationScheme,
    QuantizationSpec,
    RangeCalculatorBase,
    StaticQParamsCalculator,
)
from tests.quantization.spec.fakequant_vectors import VECTORS

WEIGHT, ACTIVATION = CompressionTargetTensor.WEIGHT, CompressionTargetTensor.ACTIVATION
Factory = QuantizationComponentFactory
DEFAULT = FakeQuantizeImplBase.get_class("default")
NAN = float("nan")


def spec(**fields: Any) -> QuantizationSpec:
    return QuantizationSpec(**fields)


def made(target: CompressionTargetTensor = WEIGHT, **fields: Any) -> FakeQuantizeImplBase:
    return Factory.create_fake_quantizer(spec(**fields), target)


def observed(**fields: Any) -> FakeQuantizeImplBase:
    fake_quantize = made(**fields)
    fake_quantize(torch.ones(2, 2))
    return fake_quantize


def static_calculator(**changes: Any) -> QParamsCalculatorBase:
    arguments = {
        "dtype": torch.int8,
        "qscheme": QuantizationScheme.SYMMETRIC,
        "granularity": PerTensorGranularity(),
        "target_dtype": torch.int8,
        "quant_min": -128,
        "quant_max": 127,
        "range_calculator": MinMaxRangeCalculator(PerTensorGranularity()),
        "float_range": [None, None],
    }
    return StaticQParamsCalculator(**{**arguments, **changes})


def off_first(switch: str, *args: Any) -> torch.Tensor:
    fake_quantize = made()
    getattr(fake_quantize, switch)(*args)
    return fake_quantize(torch.ones(3))


def two_forwards(first: tuple[int, ...], second: tuple[int, ...], **fields: Any) -> Any:
    fake_quantize = made(**fields)
    fake_quantize(torch.ones(first))
    return tuple(fake_quantize(torch.ones(second)).shape)


def set_granularity_late() -> None:
    observed().granularity = PerChannelGranularity(axis=0)


def with_qparams(method: str, dtype: str, zero_point: Any, minval: Any) -> torch.Tensor:
    call = getattr(made(dtype=dtype), method)
    return call(torch.ones(2), torch.ones(1), zero_point, minval)


def assign(record: Any, name: str) -> None:
    setattr(record, name, getattr(record, name))


def switched_off() -> str:
    fake_quantize = made(qformulation="minval")
    fake_quantize.disable_observer()
    fake_quantize.disable_fake_quant()
    return fake_quantize.extra_repr()


def keys(fake_quantize: FakeQuantizeImplBase) -> list[str]:
    return sorted(fake_quantize.state_dict())


def independent_calls() -> tuple[bool, int]:
    make = Factory.create_fake_quantizer_partial(spec(), WEIGHT)
    first, second = make(), make()
    return first.qparams_calculator is second.qparams_calculator, first.n_bits


def with_args() -> tuple[str, str, list[str]]:
    partial = DEFAULT.with_args(dtype=torch.int8)
    module = partial.__module__.replace(DEFAULT.__module__, "<module>")
    return type(partial).__name__, module, list(partial.keywords)


def kwargs_of_fake_quantizer(**more: Any) -> dict[str, Any]:
    return {
        "dtype": torch.uint4,
        "qscheme": QuantizationScheme.SYMMETRIC,
        "qformulation": QuantizationFormulation.ZP,
        "granularity": PerTensorGranularity(),
        "target_dtype": torch.uint8,
        "quant_min": 0,
        "quant_max": 15,
        "qparams_calculator": static_calculator(),
        "quantization_target": WEIGHT,
        **more,
    }


def shapes(qparams: Any) -> list[Any]:
    return [value if value is None else tuple(value.shape) for value in qparams]


Z, M = torch.zeros(1, dtype=torch.int32), torch.zeros(1)
E8M0 = torch.float8_e8m0fnu
PER_ROW = PerChannelGranularity(axis=0)
CONDITIONS: dict[str, Callable[[], Any]] = {
    "spec/dtype/unknown_string": lambda: spec(dtype="int9"),
    "spec/dtype/not_allowed_string": lambda: spec(dtype="int3"),
    "spec/dtype/float32": lambda: spec(dtype=torch.float32),
    "spec/dtype/int16": lambda: spec(dtype=torch.int16),
    "spec/dtype/alias_e4m3": lambda: spec(dtype="float8_e4m3").dtype,
    "spec/dtype/alias_fp4": lambda: spec(dtype="float4_e2m1fn").dtype,
    "spec/dtype/not_dtype": lambda: spec(dtype=8),
    "spec/qscheme/unknown": lambda: spec(qscheme="symmetricc"),
    "spec/qformulation/unknown": lambda: spec(qformulation="min_val"),
    "spec/qformulation/uppercase": lambda: spec(qformulation="ZP"),
    "spec/granularity/string": lambda: spec(granularity="per_tensor"),
    "spec/granularity/no_type": lambda: spec(granularity={"axis": 0}),
    "spec/granularity/unknown_type": lambda: spec(granularity={"type": "per_row"}),
    "spec/granularity/per_tensor_axis": lambda: PerTensorGranularity(axis=0),
    "spec/granularity/extra_field": lambda: PerChannelGranularity(axis=0, block_size=2),
    "spec/granularity/block_0": lambda: PerBlockGranularity(axis=0, block_size=0),
    "spec/granularity/block_missing": lambda: PerBlockGranularity(axis=0),
    "spec/granularity/block_axis2": lambda: PerBlockGranularity(axis=2, block_size=2),
    "spec/granularity/block_axis_negative": lambda: PerBlockGranularity(axis=-1, block_size=2),
    "spec/granularity/block_tuple_0": lambda: PerBlockGranularity(block_size=(2, 0)),
    "spec/granularity/block_tuple_-2": lambda: PerBlockGranularity(block_size=(2, -2)),
    "spec/granularity/block_list": lambda: PerBlockGranularity(block_size=[2, -1]).block_size,
    "spec/float_range/none": lambda: spec(float_range=None),
    "spec/float_range/scalar": lambda: spec(float_range=0.0),
    "spec/float_range/len3": lambda: spec(float_range=[0.0, 4.0, 5.0]),
    "spec/float_range/bool": lambda: spec(float_range=[0.0, True]),
    "spec/float_range/reversed": lambda: spec(float_range=[5.0, -5.0]),
    "spec/float_range/min_positive": lambda: spec(float_range=[1.0, 5.0]),
    "spec/float_range/max_negative": lambda: spec(float_range=[-3.0, -1.0]),
    "spec/float_range/equal": lambda: spec(float_range=[0.0, 0.0]),
    "spec/float_range/string": lambda: spec(float_range=["a", 1.0]),
    "spec/float_range/min_positive_only": lambda: spec(float_range=[1.0, None]),
    "spec/float_range/max_negative_only": lambda: spec(float_range=[None, -1.0]),
    "spec/float_range/tuple": lambda: spec(float_range=(-5, 5)).float_range,
    "spec/float_range/nan": lambda: spec(float_range=[NAN, 1.0]),
    "spec/scale_dtype/int": lambda: spec(scale_dtype=E8M0),
    "spec/scale_dtype/float32": lambda: spec(dtype="float8_e4m3fn", scale_dtype=torch.float32),
    "spec/scale_dtype/typo": lambda: spec(dtype="float8_e4m3fn", scale_dtype="float8_typo"),
    "spec/fp/asymmetric": lambda: spec(dtype="float8_e4m3fn", qscheme="asymmetric"),
    "spec/fp/with_clipping": lambda: spec(dtype="float8_e5m2", qscheme="symmetric_with_clipping"),
    "spec/fp/minval": lambda: spec(dtype="float4_e2m1fn", qformulation="minval"),
    **{
        f"spec/{name}/{what}": lambda name=name, value=value: spec(**{name: value})
        for name in ("fake_quantize_cls", "qparam_calculator_cls", "range_calculator_cls")
        for what, value in {
            "unknown_key": "nope",
            "unregistered_class": dict,
            "wrong_type": 3,
            "None": None,
        }.items()
    },
    "spec/unknown_field": lambda: spec(nonsense=1) == spec() and "a spec with all defaults",
    "spec/computed_field": lambda: spec(quant_min=5).quant_min,
    "spec/frozen": lambda: assign(spec(), "dtype"),
    "granularity/frozen": lambda: assign(PER_ROW, "axis"),
    "granularity/channel_none": lambda: PerChannelGranularity().get_block_size((2, 3)),
    "granularity/channel_oob": lambda: PerChannelGranularity(axis=2).get_block_size((2, 3)),
    "granularity/channel_oob_neg": lambda: PerChannelGranularity(axis=-3).get_block_size((2, 3)),
    "granularity/block_axis_none_int": lambda: PerBlockGranularity(block_size=2).get_block_size(
        (4, 4)
    ),
    "granularity/block_axis_and_tuple": lambda: PerBlockGranularity(
        axis=0, block_size=(2, 2)
    ).get_block_size((4, 4)),
    "granularity/block_rank": lambda: PerBlockGranularity(block_size=(2, 2)).get_block_size(
        (4, 4, 4)
    ),
    "granularity/block_oob": lambda: PerBlockGranularity(axis=1, block_size=2).get_block_size((4,)),
    "granularity/block_indivisible": lambda: PerBlockGranularity(
        axis=1, block_size=3
    ).get_block_size((4, 4)),
    "granularity/block_too_big": lambda: PerBlockGranularity(axis=0, block_size=8).get_block_size(
        (4, 4)
    ),
    "granularity/block_tuple_indivisible": lambda: PerBlockGranularity(
        block_size=(2, 3)
    ).get_block_size((4, 4)),
    "factory/default_bad_target": lambda: Factory.create_qparams_calculator(spec(), "weight"),
    "factory/static_string_target": lambda: (
        Factory.create_fake_quantizer(
            spec(qparam_calculator_cls="static"), "weight"
        ).quantization_target
    ),
    "factory/construct_none": lambda: Factory.construct(None, WEIGHT),
    "factory/construct_partial_none": lambda: Factory.construct_partial(None, WEIGHT),
    "calculator/marker": lambda: QParamsCalculatorBase.get_class("default")(),
    "calculator/uninitialised": lambda: shapes(static_calculator().get_qparams()),
    "calculator/uninitialised_fp": lambda: shapes(
        made(dtype="float8_e4m3fn").qparams_calculator.get_qparams()
    ),
    "forward/observer_off_first": lambda: off_first("disable_observer"),
    "forward/export_first": lambda: off_first("set_export_mode", True),
    "granularity_setter/after_forward": set_granularity_late,
    "forward/channel_count_changed": lambda: two_forwards((3, 2), (4, 2), granularity=PER_ROW),
    "forward/channel_count_changed_ma": lambda: two_forwards(
        (3, 2), (4, 2), granularity=PER_ROW, qparam_calculator_cls="moving_average"
    ),
    "forward/rank_changed": lambda: two_forwards((2, 2), (4,)),
    "forward/batch_changed": lambda: two_forwards((3, 2), (7, 2)),
    "forward/empty": lambda: made()(torch.empty(0)),
    "forward/empty_2d": lambda: made(granularity=PerChannelGranularity(axis=1))(torch.empty(0, 3)),
    "forward/int_tensor": lambda: made()(torch.arange(3)),
    "forward/noncontiguous": lambda: made()(torch.ones(3, 2).T),
    "forward/noncontiguous_block": lambda: made(
        granularity=PerBlockGranularity(axis=1, block_size=2)
    )(torch.ones(4, 4).T),
    "forward/channel_unresolved": lambda: made(granularity=PerChannelGranularity())(
        torch.ones(2, 2)
    ),
    "quantize/zp_none": lambda: with_qparams("quantize", "int8", None, M),
    "quantize/minval_none": lambda: with_qparams("quantize", "int8", Z, None),
    "dequantize/zp_none": lambda: with_qparams("dequantize", "int8", None, M),
    "quantize/fp_zp_given": lambda: with_qparams("quantize", "float8_e4m3fn", Z, None),
    "quantize/fp_minval_given": lambda: with_qparams("quantize", "float8_e4m3fn", None, M),
    "base/abstract": lambda: FakeQuantizeImplBase(**kwargs_of_fake_quantizer()),
    "range/abstract": lambda: RangeCalculatorBase(PerTensorGranularity())(torch.ones(2)),
    "registry/get_class/unknown": lambda: FakeQuantizeImplBase.get_class("nope"),
    "registry/get_class/default": lambda: DEFAULT.__name__,
    "registry/keys": lambda: sorted(FakeQuantizeImplBase.list_registry_keys()),
    "registry/subclass_keys": lambda: sorted(DEFAULT.list_registry_keys()),
    "registry/qparams_keys": lambda: sorted(
        QParamsCalculatorBase.list_registry_keys() - {"learned_step_size"}
    ),
    "registry/range_keys": lambda: sorted(
        RangeCalculatorBase.list_registry_keys() - {"percentile", "mse"}
    ),
    "registry/granularity_keys": lambda: sorted(QuantizationGranularity.list_registry_keys()),
    "scheme/values": lambda: [member.value for member in QuantizationScheme],
    "formulation/values": lambda: [member.value for member in QuantizationFormulation],
    "target/values": lambda: [member.value for member in CompressionTargetTensor],
    "e8m0/int": lambda: static_calculator(scale_dtype=E8M0)(torch.ones(2)),
    "calculator/qmin_out_of_dtype": lambda: static_calculator(quant_min=-200)(torch.ones(2)),
    "calculator/target_int4_dtype": lambda: static_calculator(target_dtype=torch.int16)(
        torch.ones(2)
    ),
    "fq/n_bits_inferred": lambda: DEFAULT(**kwargs_of_fake_quantizer()).n_bits,
    "fq/extra_kwargs": lambda: DEFAULT(**kwargs_of_fake_quantizer(nonsense=1)).n_bits,
    "fq/state_dict_keys": lambda: keys(observed()),
    "fq/state_dict_keys_ma": lambda: keys(observed(qparam_calculator_cls="moving_average")),
    "fq/state_dict_keys_fp": lambda: keys(observed(dtype="float8_e4m3fn")),
    "fq/load_state_dict_fresh": lambda: made().load_state_dict(observed().state_dict()),
    "fq/convert": lambda: made().convert(None, None),
    "fq/with_args": with_args,
    "fq/partial_independent": independent_calls,
    "fq/scale_no_grad": lambda: observed().qparams_calculator.scale.requires_grad,
    "fq/repr": lambda: made().extra_repr(),
    "fq/repr_minval_off": switched_off,
    "fq/mro": lambda: [base.__name__ for base in FakeQuantizeImplBase.__mro__],
    "spec/model_dump": lambda: sorted(spec().model_dump()),
    "spec/model_dump_granularity": lambda: dict(
        sorted(PerBlockGranularity(axis=1, block_size=32).model_dump().items())
    ),
    "spec/compression_type": lambda: str(spec().get_compression_type()),
}

#: Where the reference is unwise, with the error that there is instead; None: it works.
DONE_RIGHT: dict[str, type[Exception] | None] = {
    "spec/float_range/nan": ValueError,
    "forward/int_tensor": TypeError,
    "fq/load_state_dict_fresh": None,
}
ERRORS = {
    "AssertionError": AssertionError,
    "IndexError": IndexError,
    "KeyError": KeyError,
    "RuntimeError": RuntimeError,
    "TypeError": TypeError,
    "ValidationError": ValueError,
    "ValueError": ValueError,
    "_BlockSizeMismatchError": ValueError,
}


def test_every_condition_is_here() -> None:
    assert set(CONDITIONS) == {entry["id"] for entry in VECTORS["errors"]}


@pytest.mark.parametrize("entry", [pytest.param(e, id=e["id"]) for e in VECTORS["errors"]])
def test_condition(entry: dict[str, Any]) -> None:
    act = CONDITIONS[entry["id"]]
    error = ERRORS[entry["error"]] if entry["error"] else None
    error = DONE_RIGHT.get(entry["id"], error)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if error is not None:
            with pytest.raises(error) as raised:
                act()
            assert type(raised.value) is not AssertionError
        else:
            result = act()
    assert [w.category.__name__ for w in caught] == entry["warnings"]
    if entry["id"] not in DONE_RIGHT and error is None:
        assert is_as_recorded(result, entry["result"])


def is_as_recorded(result: Any, recorded: str) -> bool:
    """Whether a result looks like the recorded text, of which long ones are cut at 200."""
    shown = str(result) if isinstance(result, torch.dtype) else repr(result)
    cut = shown[:200] if len(recorded) == 200 else shown
    return recorded in (cut, result)


def test_messages_name_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"Unsupported dtype 'int9'"):
        spec(dtype="int9")
    with pytest.raises(ValueError, match=r"must lie in \[-2, 2\).*Got 2"):
        PerChannelGranularity(axis=2).get_block_size((2, 3))
    with pytest.raises(KeyError, match="'per_block', 'per_channel', 'per_tensor'"):
        spec(granularity={"type": "per_row"})
    with pytest.raises(ValueError, match="'default', 'global_minmax'.*Got 'nope'"):
        spec(qparam_calculator_cls="nope")


def test_a_dump_reads_back() -> None:
    first = spec(
        dtype="uint4",
        qscheme="asymmetric",
        qformulation="minval",
        granularity=PerBlockGranularity(block_size=(2, -1)),
        qparam_calculator_cls="global_minmax",
        float_range=(None, 6),
    )
    assert spec(**first.model_dump()) == first
    assert hash(spec(**first.model_dump())) == hash(first)
    assert first != spec(dtype="uint4")
    assert copy.deepcopy(first) == first


def test_partial_constructors_nest() -> None:
    calls = []
    make = PartialConstructor(dict, a=1, b=2).with_callable_args(c=lambda: calls.append(1) or 3)
    assert make() == {"a": 1, "b": 2, "c": 3}
    assert make(c=4, a=0) == {"a": 0, "b": 2, "c": 4}
    assert calls == [1]
    nested = make.with_args(b=5)
    assert nested() == {"a": 1, "b": 5, "c": 3}
    assert make.keywords == {"a": 1, "b": 2}
