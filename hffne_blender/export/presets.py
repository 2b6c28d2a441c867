# SPDX-License-Identifier: GPL-3.0-or-later
"""What other programs expect of a character's textures: their names, channels and direction of green. No bpy here."""

from dataclasses import dataclass

# Textures of several quantities: the quantity of each channel.
PACKED = {
    "orm": ("occlusion", "roughness", "metallic"),
    # Unity: HDRP takes all four; URP takes the metallic and smoothness from R and A, the occlusion from G.
    "mask": ("metallic", "occlusion", "detail", "smoothness"),
}


@dataclass(frozen=True)
class Preset:
    """The textures of one program.

    label      its name, for users
    note       what is special about it
    pattern    of file names: {name} of the character, {map} from `names`
    names      texture -> {map}; also which of "orm" and "mask" the program takes
    directx    green of its normal maps points down
    packed     "SINGLE": a file for each quantity, "PACKED": one for several, "BOTH"
    formats    the files of the mesh: "glb", "fbx", "usd"
    fbx_units  whether the FBX file says its unit instead of scaling its objects
    """

    label: str
    note: str
    pattern: str
    names: dict[str, str]
    directx: bool
    packed: str
    formats: tuple[str, ...]
    fbx_units: bool = False


PRESETS = {
    "ANY": Preset(
        "Any Program",
        "GLB, FBX and USD, normal maps as glTF and Blender have them, packed and single textures",
        "{name}_{map}",
        {
            "base_color": "BaseColor", "normal": "Normal", "orm": "OcclusionRoughnessMetallic",
            "occlusion": "Occlusion", "roughness": "Roughness", "height": "Height",
        },
        False, "BOTH", ("glb", "fbx", "usd"),
    ),
    "UNREAL": Preset(
        "Unreal Engine",
        "FBX; DirectX normal map; occlusion, roughness and metallic in one texture (T_Name_ORM, sRGB off)",
        "T_{name}_{map}",
        {
            "base_color": "BC", "normal": "N", "orm": "ORM", "occlusion": "AO", "roughness": "R", "height": "H",
        },
        True, "PACKED", ("fbx",),
    ),
    "UNITY": Preset(
        "Unity",
        "FBX; OpenGL normal map; a mask map for HDRP and URP: metallic, occlusion, detail, smoothness",
        "{name}_{map}",
        {
            "base_color": "BaseMap", "normal": "NormalMap", "mask": "MaskMap",
            "occlusion": "Occlusion", "roughness": "Roughness", "height": "HeightMap",
        },
        False, "PACKED", ("fbx",), True,
    ),
    "SUBSTANCE": Preset(
        "Substance 3D Painter",
        "FBX; DirectX normal map; a texture for each channel, named as the channels are",
        "{name}_{map}",
        {
            "base_color": "BaseColor", "normal": "Normal", "orm": "OcclusionRoughnessMetallic",
            "occlusion": "AO", "roughness": "Roughness", "height": "Height",
        },
        True, "SINGLE", ("fbx",),
    ),
    "MARMOSET": Preset(
        "Marmoset Toolbag",
        "FBX; OpenGL normal map; a texture for each slot of the material",
        "{name}_{map}",
        {
            "base_color": "Albedo", "normal": "Normal", "orm": "ORM",
            "occlusion": "AO", "roughness": "Roughness", "height": "Displacement",
        },
        False, "SINGLE", ("fbx",),
    ),
}  # fmt: skip


def wanted(preset: Preset, packed: str) -> list[str]:
    """The textures to write, by their names in `Preset.names`."""
    of_several = {name for name in preset.names if name in PACKED}
    # The single quantities that a packed texture has.
    parts = {"occlusion", "roughness"}
    left_out = of_several if packed == "SINGLE" else parts if packed == "PACKED" else set()
    return [name for name in preset.names if name not in left_out]
