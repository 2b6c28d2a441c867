# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps that a request can ask for.

A map is one function here, under `register` with its name and the arrays that it gives. Its parameters declare what
it needs: they are names of MapInputs' attributes.
"""

import inspect
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hffne.geometry.vectors import normalize
from hffne.maps.albedo import albedo
from hffne.maps.bands import bands
from hffne.maps.inputs import MapInputs
from hffne.maps.layout import Layout
from hffne.maps.occlusion import occlusion
from hffne.maps.pores import pores
from hffne.maps.relight import relight_layers
from hffne.maps.roughness import roughness
from hffne.maps.uv_surface import UVSurface, resize_texture

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.geometry.textures import Textures
    from hffne.photo.load import Photo

# What another thread computes: of MapInputs' attributes, and of the maps, which need nothing that is computed here.
_SLOW, _BESIDE = "height", ("bands",)
# Side in texels of the normal without its fine and medium relief.
COARSE_SIZE = 256

MapFunction = Callable[..., dict[str, np.ndarray]]


@dataclass(frozen=True)
class ArraySpec:
    """An array of a map.

    dtype         numpy's name of the type
    channels      the length of its third axis, 0 for an array of two axes
    texture_size  whether its first two axes have the textures' size; else they have a size of their own
    """

    dtype: str
    channels: int = 0
    texture_size: bool = True


@dataclass(frozen=True)
class MapSpec:
    """A map.

    needs    the attributes of MapInputs that it is computed from
    gives    its arrays by name
    compute  takes what it needs by keyword, returns the arrays that it gives
    """

    name: str
    needs: tuple[str, ...]
    gives: dict[str, ArraySpec]
    compute: MapFunction


# All maps by name, in the order of the functions below.
MAPS: dict[str, MapSpec] = {}


def register(name: str, gives: dict[str, ArraySpec]) -> Callable[[MapFunction], MapFunction]:
    """Decorate the function that computes the map `name`. gives: its arrays by name."""

    def add(function: MapFunction) -> MapFunction:
        MAPS[name] = MapSpec(name, tuple(inspect.signature(function).parameters), gives, function)
        return function

    return add


def make_maps(
    names: Iterable[str],
    photo: "Photo",
    estimate: "FaceEstimate",
    textures: "Textures",
    layout: Layout | None = None,
    unlit: Callable[[], np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """The arrays, by name, of the maps `names`, which are keys of MAPS.

    textures: of the estimate on that photo; layout: the face on their UV square, by default the mask;
    unlit: gives their colors (s, s, 3) uint8 sRGB without light, at any size, by default the textures' own.
    Raises KeyError for a name that is not in MAPS.
    """
    inputs, requested = MapInputs(photo, estimate, textures, layout, unlit), set(names)
    if unknown := requested - MAPS.keys():
        raise KeyError(f"there are no maps {sorted(unknown)}")
    chosen = [spec for name, spec in MAPS.items() if name in requested]
    made: dict[str, dict[str, np.ndarray]] = {}
    with ThreadPoolExecutor(1) as beside:
        # The height and then the bands take about as long as all that does not need them.
        if any(_SLOW in spec.needs for spec in chosen):
            inputs.begin_height(beside)
        later = {
            spec.name: beside.submit(spec.compute, **_needs(spec, inputs)) for spec in chosen if spec.name in _BESIDE
        }
        for spec in sorted(chosen, key=lambda spec: _SLOW in spec.needs):
            if spec.name not in later:
                made[spec.name] = spec.compute(**_needs(spec, inputs))
        made |= {name: future.result() for name, future in later.items()}
    return {name: np.ascontiguousarray(array) for spec in chosen for name, array in made[spec.name].items()}


def _needs(spec: MapSpec, inputs: MapInputs) -> dict[str, Any]:
    return {need: getattr(inputs, need) for need in spec.needs}


@register("albedo", {"albedo": ArraySpec("uint8", 3)})
def _albedo(textures: "Textures", unlit: np.ndarray) -> dict[str, np.ndarray]:
    """The colors, sRGB, without the photo's light."""
    return {"albedo": albedo(textures.color, unlit)}


@register("height", {"height": ArraySpec("float32")})
def _height(height: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Meters over the base mesh."""
    return {"height": resize_texture(height, size)}


@register("curvature", {"curvature": ArraySpec("float32")})
def _curvature(curvature: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Mean curvature in 1/m, ridges positive."""
    return {"curvature": resize_texture(curvature, size)}


@register("occlusion", {"occlusion": ArraySpec("uint16")})
def _occlusion(surface: UVSurface, shape_occlusion: np.ndarray, height: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Ambient occlusion, 65535 for a texel that the light reaches from all around."""
    share = resize_texture(occlusion(surface, shape_occlusion, height), size)
    return {"occlusion": (np.clip(share, 0, 1) * 65535 + 0.5).astype(np.uint16)}


@register("roughness", {"roughness": ArraySpec("uint8")})
def _roughness(regions: dict[str, np.ndarray], curvature: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Roughness for a Principled material, 255 is 1."""
    return {"roughness": roughness(regions, resize_texture(curvature, size))}


@register("seen", {"seen": ArraySpec("uint8")})
def _seen(textures: "Textures") -> dict[str, np.ndarray]:
    """How far the photo shows a texel's skin itself, 255 fully; what is not seen is completed."""
    return {"seen": (np.clip(textures.confidence, 0, 1) * 255 + 0.5).astype(np.uint8)}


@register(
    "bands",
    {
        "normal_medium": ArraySpec("float32", 3, texture_size=False),
        "normal_coarse": ArraySpec("float32", 3, texture_size=False),
    },
)
def _bands(surface: UVSurface, textures: "Textures", grid: int) -> dict[str, np.ndarray]:
    """The normal, object space, without its fine, and without its fine and medium relief.

    They are smaller than the textures, as they hold less detail.
    """
    medium, coarse = bands(surface, textures.normal)
    small = normalize(resize_texture(coarse, min(COARSE_SIZE, grid))).astype(np.float32)
    return {"normal_medium": medium, "normal_coarse": small}


@register(
    "relight",
    {
        "photo_normal": ArraySpec("float32", 3, texture_size=False),
        "photo_mask": ArraySpec("uint8", texture_size=False),
        "photo_color": ArraySpec("uint8", 3, texture_size=False),
        "photo_albedo": ArraySpec("uint8", 3, texture_size=False),
    },
)
def _relight(photo: "Photo", estimate: "FaceEstimate") -> dict[str, np.ndarray]:
    """The photo's own crop, to be relit."""
    return relight_layers(photo.rgb, estimate)


@register("pores", {"normal_pores": ArraySpec("uint16", 3)})
def _pores(surface: UVSurface, textures: "Textures", regions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The normal, object space, with synthetic pores, which no photo showed; -1 to 1 as 0 to 65535."""
    return {"normal_pores": pores(surface, textures.normal, regions)}
