"""`prepare_qat`: fake quantizers on the inputs, weights and activations of a torch module."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from skq.exceptions import UnsupportedModelError
from skq.quantization.spec import (
    CompressionTargetTensor,
    PerChannelGranularity,
    PerTensorGranularity,
    QuantizationComponentFactory,
    QuantizationFormulation,
    QuantizationSpec,
)
from skq.training.convert import convert_qat
from skq.training.layers import LAYERS, LOOKUPS, QATLayer, role_of

#: Up to this many bits scales are learned by default; with more they are observed.
LEARNED_BITS = 4

#: Roles of values that get no quantizer.
NOT_QUANTIZED = ("shape", "constant", "index")

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class _AnyWidthSpec(QuantizationSpec):
    """A spec for 2 to 8 bits."""

    SUPPORTED_DTYPES: ClassVar[set[Any]] = {
        getattr(torch, f"{sign}int{n}")
        for sign in ("", "u")
        for n in range(2, 9)
        if hasattr(torch, f"{sign}int{n}")
    }


def default_specs(n_bits: int) -> tuple[QuantizationSpec, QuantizationSpec]:
    """Specs of weights and of activations for a width.

    Parameters
    ----------
    n_bits : int
        In [2, 8].

    Returns
    -------
    weight_spec, activation_spec : QuantizationSpec
        Weights: signed, symmetric, one scale per output channel. Activations: unsigned, asymmetric,
        one scale. Scales are learned with up to `LEARNED_BITS`, else observed.
    """
    if isinstance(n_bits, bool) or not isinstance(n_bits, int) or not 2 <= n_bits <= 8:
        raise ValueError(f"n_bits must be an int in [2, 8]. Got {n_bits!r} instead.")
    calculator = "learned_step_size" if n_bits <= LEARNED_BITS else "default"
    return (
        _AnyWidthSpec(
            dtype=f"int{n_bits}",
            granularity=PerChannelGranularity(axis=0),
            qparam_calculator_cls=calculator,
        ),
        _AnyWidthSpec(
            dtype=f"uint{n_bits}",
            qscheme="asymmetric",
            qparam_calculator_cls=calculator,
            range_calculator_cls="mse" if n_bits <= LEARNED_BITS else "minmax",
        ),
    )


def prepare_qat(
    module: nn.Module,
    example_inputs: Any,
    *,
    n_bits: int = 8,
    weight_spec: QuantizationSpec | None = None,
    activation_spec: QuantizationSpec | None = None,
) -> fx.GraphModule:
    """Insert fake quantizers for the inputs, weights and activations of a module.

    Train the result like any module and convert it with `convert_qat`. Batch normalization is
    folded into the layer before it. A quantizer is inserted before each layer, addition and average
    whose inputs are not quantized yet. Results of ReLU and max pooling need no quantizer. Outputs
    have no quantizer, because they are computed from exact sums. The weights of an Embedding have
    one scale, and its results need no quantizer, because they are on the grid of the weights.

    Parameters
    ----------
    module : torch.nn.Module
        A module of Linear, Conv1d, Conv2d, Embedding, batch normalization, additions, pooling and
        activations. torch.fx must be able to trace it. It is not changed.
    example_inputs : Tensor, or tuple of them
        Typical inputs, with the rows on the first axis. The first quantization parameters are
        computed from them.
    n_bits : int, default=8
        Width of weights and activations, in [2, 8], if no spec is given. With up to 4 bits the
        scales are learned (LSQ), with more bits they are observed.
    weight_spec, activation_spec : QuantizationSpec, default=None
        How weights and activations are quantized: with an integer dtype and the formulation "zp";
        weights per tensor or per channel (axis 0 if it is None), activations per tensor. Weights of
        an Embedding are always quantized per tensor. None means a spec of `n_bits` bits.

    Returns
    -------
    torch.fx.GraphModule

    Raises
    ------
    UnsupportedModelError
        If the module cannot be traced, or has a part that cannot be quantized. The module is
        converted once before it is returned, so this error is raised before training.
    ValueError
        If a spec cannot be converted to integers.

    See Also
    --------
    convert_qat : Convert the trained module to an integer program.
    QATSchedule : Turn observers and fake quantization on and off by step.

    Examples
    --------
    >>> import torch
    >>> from skq.training import convert_qat, prepare_qat
    >>> torch.manual_seed(0)
    <torch._C.Generator object at ...>
    >>> X = torch.randn(256, 4)
    >>> y = X[:, :1].abs()
    >>> network = torch.nn.Sequential(
    ...     torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)
    ... )
    >>> prepared = prepare_qat(network, X, n_bits=4)
    >>> optimizer = torch.optim.Adam(prepared.parameters(), lr=0.02)
    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     loss = (prepared(X) - y).square().mean()
    ...     loss.backward()
    ...     optimizer.step()
    >>> integers = convert_qat(prepared, X.numpy())
    >>> integers.forward(X.numpy()).shape
    (256, 1)
    """
    weights, activations = default_specs(n_bits)
    weights, activations = weight_spec or weights, activation_spec or activations
    _check_spec(weights, "weight_spec", (PerTensorGranularity, PerChannelGranularity))
    _check_spec(activations, "activation_spec", (PerTensorGranularity,))
    if weights.granularity == PerChannelGranularity():
        weights = replace(weights, granularity=PerChannelGranularity(axis=0))
    examples = example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)
    traced = _traced(module)
    _fold_batch_norm(traced)
    _replace_layers(traced, weights)
    _insert_quantizers(traced, activations)
    _initialize(traced, examples, was_training=module.training)
    return traced


def _check_spec(spec: QuantizationSpec, name: str, granularities: tuple[type, ...]) -> None:
    allowed = " or ".join(kind.__name__ for kind in granularities)
    if spec.dtype.is_floating_point:
        raise ValueError(f"{name} must have an integer dtype. Got {spec.dtype}.")
    if spec.qformulation is not QuantizationFormulation.ZP:
        raise ValueError(
            f"{name} must have the formulation 'zp': integer sums need the code of 0. "
            f"Got {str(spec.qformulation)!r}."
        )
    if not isinstance(spec.granularity, granularities):
        raise ValueError(f"{name} must have {allowed}. Got {spec.granularity!r}.")


def _traced(module: nn.Module) -> fx.GraphModule:
    copied = copy.deepcopy(module).eval()
    wrapped = nn.Sequential(copied) if isinstance(copied, LAYERS + LOOKUPS) else copied
    try:
        traced = fx.symbolic_trace(wrapped)
    except Exception as error:
        raise UnsupportedModelError(
            f"{type(module).__name__} cannot be traced by torch.fx, so no quantizers can be put "
            f"into it: {error}"
        ) from error
    return traced


def _fold_batch_norm(traced: fx.GraphModule) -> None:
    """Fold each batch normalization into the layer before it, where nothing else reads that."""
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        if node.op != "call_module" or not isinstance(modules[node.target], _BATCH_NORMS):
            continue
        before = node.args[0]
        layer = modules.get(before.target) if before.op == "call_module" else None
        if isinstance(layer, LAYERS) and len(before.users) == 1:
            fuse = fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval
            fused = fuse(layer, modules[node.target])
            _set_module(traced, before.target, fused)
            modules[before.target] = fused
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()


def _replace_layers(traced: fx.GraphModule, spec: QuantizationSpec) -> None:
    for name, module in list(traced.named_modules()):
        if isinstance(module, LAYERS + LOOKUPS):
            if isinstance(module, LOOKUPS) and module.max_norm is not None:
                raise UnsupportedModelError(
                    f"{name} (Embedding) has max_norm, which changes its weights whenever they are "
                    "looked up: normalize them before, and leave it out."
                )
            given = spec
            if isinstance(module, LOOKUPS):  # one scale per entry would be no grid
                given = replace(spec, granularity=PerTensorGranularity())
            quantizer = QuantizationComponentFactory.create_fake_quantizer(
                given, CompressionTargetTensor.WEIGHT
            )
            _set_module(traced, name, QATLayer(module, quantizer))


def _insert_quantizers(traced: fx.GraphModule, spec: QuantizationSpec) -> None:
    """Quantize the inputs of layers and mixing operators, each value once."""
    modules = dict(traced.named_modules())
    unknown = [n for n in traced.graph.nodes if role_of(n, modules) == "unknown"]
    if unknown:
        raise UnsupportedModelError(
            "These parts of the module cannot be quantized: "
            + "; ".join(_described(node, modules) for node in unknown)
            + ". Supported: Linear, Conv1d, Conv2d, Embedding, BatchNorm after layers, additions, "
            "pooling, shapes and common activations."
        )
    on_grid: set[Any] = set()
    for node in list(traced.graph.nodes):
        role = role_of(node, modules)
        if role in ("layer", "mixing"):
            for source in node.all_input_nodes:
                if source not in on_grid and role_of(source, modules) not in NOT_QUANTIZED:
                    on_grid.add(_quantized(traced, source, spec))
        elif role == "lookup" or (role == "preserving" and node.all_input_nodes[0] in on_grid):
            on_grid.add(node)
    traced.graph.lint()
    traced.recompile()


def _quantized(traced: fx.GraphModule, source: Any, spec: QuantizationSpec) -> Any:
    """Insert a fake quantizer between a node and all nodes that read it."""
    quantizer = QuantizationComponentFactory.create_fake_quantizer(
        spec, CompressionTargetTensor.ACTIVATION
    )
    name = f"{source.name}_fake_quantize"
    traced.add_submodule(name, quantizer)
    readers = [user for user in source.users if user.op != "output"]
    with traced.graph.inserting_after(source):
        node = traced.graph.call_module(name, (source,))
    for reader in readers:
        reader.replace_input_with(source, node)
    return node


def _initialize(traced: fx.GraphModule, examples: Sequence[Any], *, was_training: bool) -> None:
    with torch.no_grad():
        traced(*examples)
    traced.train(was_training)
    traced.meta["example_inputs"] = tuple(example[:1] for example in examples)
    convert_qat(traced)  # what cannot become integers is refused before training


def _described(node: Any, modules: dict[str, nn.Module]) -> str:
    if node.op == "call_module":
        return f"{node.target} ({type(modules[node.target]).__name__})"
    return f"{node.name} ({getattr(node.target, '__name__', node.target)})"


def _set_module(parent: nn.Module, path: str, module: nn.Module) -> None:
    *first, last = path.split(".")
    setattr(parent.get_submodule(".".join(first)), last, module)
