# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices, processes and precision, by Lightning Fabric."""

from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from hffne.errors import DeviceError, FabricMissingError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_Precision: TypeAlias = Literal["32-true", "16-mixed", "bf16-mixed"]


def make_fabric(
    accelerator: str = "auto", devices: str | int = 1, nodes: int = 1, precision: str = "32-true"
) -> "Fabric":
    """A launched Fabric.

    accelerator: "cpu", "cuda", "mps" or "auto". devices: how many on each of the `nodes`, or "auto". precision: see
    recipe.Recipe. Raises FabricMissingError where Fabric is not installed, DeviceError where a device or precision is
    not available.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError:
        raise FabricMissingError("Lightning Fabric is not installed.") from None
    try:
        count = devices if devices == "auto" else int(devices)
        fabric = Fabric(
            accelerator=accelerator,
            devices=count,
            num_nodes=nodes,
            precision=_precision(precision, accelerator),
            strategy="auto" if count == 1 and nodes == 1 else "ddp",
        )
    except Exception as error:  # Fabric's own words for a device or a precision that is not there
        said = " ".join(str(error).split()) or type(error).__name__
        raise DeviceError(f"Training cannot start: {said}") from error
    fabric.launch()
    return fabric


def _precision(wanted: str, accelerator: str) -> _Precision:
    """Fabric's name of a recipe's precision."""
    if wanted != "bf16-where-fast":
        return cast(_Precision, wanted)
    return "bf16-mixed" if _fast_in_bfloat16(accelerator) else "32-true"


def _fast_in_bfloat16(accelerator: str) -> bool:
    """Whether the device computes in bfloat16 itself; a CPU that imitates it takes ten times as long as in float32."""
    import torch

    if accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if accelerator not in ("auto", "cpu") or (accelerator == "auto" and torch.backends.mps.is_available()):
        return False
    if not hasattr(torch.cpu, "get_capabilities"):  # torch before 2.6
        return False
    able = torch.cpu.get_capabilities()
    return any(able.get(name) for name in ("amx_bf16", "avx512_bf16", "arm_bf16"))
