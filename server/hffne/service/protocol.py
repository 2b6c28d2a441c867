# SPDX-License-Identifier: GPL-3.0-or-later
"""Every message between the engine and its clients: its fields, their limits, and its arrays.

Messages travel in frames (see `frames.py`): a JSON object with "type" and "id", and arrays by name. The client sends
requests; the engine answers each with any number of "progress" messages and then one "result", "error" or
"cancelled" of the same id. Fields and arrays that are not described here are ignored, so that either side may be a
little newer than the other.

Standard library only. This file stands twice, byte for byte the same: in the engine (`hffne/service/protocol.py`) and
in the Blender extension (`hffne_blender/engine/protocol.py`), because neither may import the other.
"""

from collections.abc import Mapping

from .message_fields import Array, ArrayError, ArrayLike, Field, Message, ProtocolError, checked_fields

__all__ = ["Array", "ArrayError", "ArrayLike", "Field", "Message", "ProtocolError", "checked_fields"]

# The engine refuses further requests while this many are not answered.
MAX_WAITING = 64
# Pixels: the textures' side; the fine network's crop, a multiple of CROP_STEP; the side of a face's thumbnail, 0: none.
TEXTURE_SIZES = (64, 8192)
CROP_SIZES, CROP_STEP = (256, 2048), 32
THUMBNAIL_SIZES = (0, 512)
# Vertices along a side of a mask's UV layout. What is built; a head's density; what may cover a face and stay.
GRIDS = (8, 512)
BASES, LODS, COVERS = ("head", "mask"), ("full", "half", "game"), ("hair", "glasses")
# Thumbnails of one photo; photos of one person, merged to one face.
MAX_THUMBNAILS, MAX_PHOTOS = 24, 12
# Points of a correction, and the largest of their numbers.
MAX_POINTS, MAX_METERS = 256, 10.0
# Pixels of a part of a photo.
PICTURE_SIZES = (64, 2048)
# Seconds between two "alive" messages.
HEARTBEATS = (0.1, 60.0)
LANDMARKS = 68

# The longest side that a letter in a shape may stand for; other letters are limited by the frame's size only.
MAX_LENGTHS = {
    "T": TEXTURE_SIZES[1],
    "M": TEXTURE_SIZES[1] // 4,
    "L": TEXTURE_SIZES[1] // 4,
    "S": CROP_SIZES[1],
    "C": CROP_SIZES[1],
    "W": PICTURE_SIZES[1],
    "N": MAX_THUMBNAILS,
    "P": THUMBNAIL_SIZES[1],
}

# The arrays of the further maps, by the maps' names in a request.
MAP_ARRAYS: dict[str, dict[str, Array]] = {
    "albedo": {"albedo": Array("u1", ("T", "T", 3), "sRGB, the colors with the photo's light divided out", False)},
    "height": {"height": Array("f4", ("T", "T"), "meters over the base mesh", False)},
    "curvature": {"curvature": Array("f4", ("T", "T"), "1/m, ridges positive", False)},
    "occlusion": {"occlusion": Array("u2", ("T", "T"), "65535 is open", False)},
    "roughness": {"roughness": Array("u1", ("T", "T"), "255 is 1", False)},
    "seen": {"seen": Array("u1", ("T", "T"), "255 where the photo shows the face itself", False)},
    "bands": {
        "normal_medium": Array("f4", ("M", "M", 3), "object space: the normal without its fine relief", False),
        "normal_coarse": Array("f4", ("L", "L", 3), "the same without its fine and medium relief", False),
    },
    "relight": {
        "photo_normal": Array("f4", ("S", "S", 3), "the photo's crop: unit normals in camera space", False),
        "photo_mask": Array("u1", ("S", "S"), "255 on the face", False),
        "photo_color": Array("u1", ("C", "C", 3), "sRGB", False),
        "photo_albedo": Array("u1", ("C", "C", 3), "sRGB, the light divided out", False),
    },
    "pores": {"normal_pores": Array("u2", ("T", "T", 3), "coded as the normal: with synthetic pores", False)},
}

_PHOTO = Field("text", "path of the photo", required=False)
_NOTICES = Field("texts", "sentences for the user", required=False, default=())
_PHOTO_SIZE = Field("numbers", "width and height of the photo in pixels", low=2, high=2)
_BOX = Field("numbers", "x, y, width, height of the face in pixels of the photo", low=4, high=4)

# What a client sends. All but "shutdown" have an "id", a whole number that no unanswered request has.
REQUESTS: dict[str, Message] = {
    "hello": Message(
        "load the engine and describe it",
        {
            "heartbeat": Field(
                "number", 'send "alive" every so many seconds', required=False, low=HEARTBEATS[0], high=HEARTBEATS[1]
            )
        },
    ),
    "faces": Message(
        "detect the faces of a photo",
        {
            "photo": Field("text", "path of the photo"),
            "thumbnails": Field(
                "integer",
                "side in pixels of a picture of each face and of the photo, 0 for none",
                required=False,
                default=0,
                low=THUMBNAIL_SIZES[0],
                high=THUMBNAIL_SIZES[1],
                hint="Choose another value.",
            ),
        },
    ),
    "generate": Message(
        "build a face from one photo, or from several photos of one person",
        {
            "photo": _PHOTO,
            "photos": Field(
                "texts",
                'paths of several photos, instead of "photo"; the first one names the face',
                required=False,
                low=1,
                high=MAX_PHOTOS,
                hint="Choose fewer photos.",
            ),
            "face": Field("face", "which face of each photo, the largest first", required=False, default="largest"),
            "texture_size": Field(
                "integer",
                "the textures' side in pixels",
                required=False,
                default=1024,
                low=TEXTURE_SIZES[0],
                high=TEXTURE_SIZES[1],
                hint="Choose another value.",
            ),
            "base": Field("text", "what is built", required=False, default="head", choices=BASES),
            "lod": Field("text", "the density of a head's mesh", required=False, default="full", choices=LODS),
            "keep": Field("texts", "what covers the face and stays", required=False, default=(), choices=COVERS),
            "grid": Field(
                "integer",
                "vertices along a side of a mask's UV layout",
                required=False,
                default=128,
                low=GRIDS[0],
                high=GRIDS[1],
                hint="Choose another value.",
            ),
            "size": Field(
                "integer",
                "side of the fine network's crop in pixels; the engine's own without it",
                required=False,
                low=CROP_SIZES[0],
                high=CROP_SIZES[1],
                step=CROP_STEP,
                hint="Choose another value.",
            ),
            "correction": Field(
                "numbers",
                "an artist's correction of the shape, a smooth field: of each point x, y, z and its weight's x, y, z, "
                "in meters on the object's axes",
                required=False,
                default=(),
                low=0,
                high=6 * MAX_POINTS,
            ),
            "color": Field("boolean", "whether to send the color texture", required=False, default=True),
            "maps": Field(
                "texts",
                "the further maps",
                required=False,
                default=(),
                choices=tuple(MAP_ARRAYS),
                hint="Choose other maps.",
            ),
        },
    ),
    "picture": Message(
        "a square part of a photo",
        {
            "photo": Field("text", "path of the photo"),
            "center_x": Field("number", "its middle in pixels of the photo", low=-1e6, high=1e6),
            "center_y": Field("number", "its middle in pixels of the photo", low=-1e6, high=1e6),
            "side": Field("number", "its side in pixels of the photo", low=1, high=1e6),
            "size": Field("integer", "side of the picture in pixels", low=PICTURE_SIZES[0], high=PICTURE_SIZES[1]),
        },
    ),
    "cancel": Message('stop the request of this id at its next stage; it is answered with "cancelled"'),
    "shutdown": Message("end the engine; it has no id"),
}

# What the engine sends while it works, and instead of a result. "id" is null in what belongs to no request.
REPLIES: dict[str, Message] = {
    "progress": Message(
        "a stage begins",
        {
            "stage": Field("text", "a short stable name"),
            "fraction": Field("number", "share of the whole request that is done", low=0, high=1),
            "message": Field("text", "the stage in words", required=False, default=""),
        },
    ),
    "alive": Message(
        'the process responds; sent at the interval that "hello" requests',
        {"cpu": Field("number", "seconds of processor time that the engine has used", low=0)},
    ),
    "cancelled": Message("the request was cancelled"),
    "error": Message(
        "the request failed",
        {
            "code": Field("text", "a short stable name, see docs/troubleshooting.md"),
            "message": Field("text", "what is wrong, in words"),
            "hint": Field("text", 'what to do about it, or ""', required=False, default=""),
            "exit_code": Field("integer", "what a command line returns for it", required=False, default=1, low=1),
            "fatal": Field("boolean", "whether the engine ends", required=False, default=False),
        },
    ),
}

# The engine's "result" by the type of the request.
RESULTS: dict[str, Message] = {
    "hello": Message(
        "the engine is loaded",
        {
            "protocol": Field("integer", "version of the protocol"),
            "version": Field("text", "version of the engine"),
            "device": Field("text", "torch's name of the device"),
            "device_name": Field("text", "the device's name for the user"),
            "models": Field("texts", "names of the loaded models"),
        },
    ),
    "faces": Message(
        "the faces, the largest first",
        {
            "photo_size": _PHOTO_SIZE,
            "faces": Field("objects", 'of each face "box" (x, y, width, height in pixels) and "score" (0 to 1)'),
            "notices": _NOTICES,
        },
        {
            "thumbnails": Array("u1", ("N", "P", "P", 3), "sRGB, a picture of each of the first faces", False),
            "overview": Array("u1", ("P", "P", 3), "sRGB, the whole photo in the middle of black", False),
        },
    ),
    "picture": Message(
        "the part of the photo",
        {},
        {"picture": Array("u1", ("W", "W", 3), "sRGB, black beside the photo, row 0 at the top")},
    ),
    "generate": Message(
        "the built face, on Blender's axes: X to the viewer's right, -Y forward, Z up",
        {
            "name": Field("text", "stem of the first photo's file name"),
            "units": Field("text", "unit of the vertices", choices=("m",)),
            "faces": Field("integer", "how many faces the first photo shows", low=1),
            "face": Field("integer", "which of them was built", low=0),
            "box": _BOX,
            "photo_size": _PHOTO_SIZE,
            "texture_size": Field("integer", "the textures' side in pixels", low=1, high=TEXTURE_SIZES[1]),
            "regions": Field("texts", "names of the regions"),
            "parts": Field("texts", "of a head: names of its parts, the skin first", required=False, default=()),
            "keys": Field("texts", "of a head: names of its shape keys", required=False, default=()),
            "eyes": Field(
                "object",
                "of a head: iris_color (sRGB, 0 to 1); left and right, the face's own: center, radius and iris_radius "
                "in meters, gaze (unit)",
                required=False,
            ),
            "camera": Field(
                "object",
                "rotation (3 x 3, object axes to camera axes), scale (pixels of the crop at 256 per meter), center "
                "(crop pixel of the object's origin), crop (center_x, center_y, side, size), photo_size, photo "
                "(its number among several, from 0)",
            ),
            "cameras": Field(
                "objects",
                'of several photos: the camera of each, in their order, to the one shape that they share; "camera" is '
                "one of them",
                required=False,
                default=(),
                low=2,
                high=MAX_PHOTOS,
            ),
            "notices": _NOTICES,
        },
        {
            "vertices": Array("f4", ("V", 3), "meters: the face as on the photo"),
            "uvs": Array("f4", ("Q", 4, 2), "0 to 1, of the quads' corners; a triangle's last is not used"),
            "quads": Array("i4", ("Q", 4), "vertices, counter-clockwise from outside; the last -1: a triangle"),
            "neutral": Array("f4", ("V", 3), "of a head: meters, its neutral shape", False),
            "quad_parts": Array("u1", ("Q",), "of a head: the part of each quad", False),
            "key_starts": Array("i4", ("K",), "of a head: where each key's vertices start, and their end", False),
            "key_vertices": Array("i4", ("D",), "of a head: the vertices that the keys move, key after key", False),
            "key_deltas": Array("f4", ("D", 3), "of a head: how far from the neutral shape, meters", False),
            "region_weights": Array("f4", ("R", "V"), "0 to 1"),
            "normal": Array("u2", ("T", "T", 3), "object-space unit normals, -1 to 1 as 0 to 65535, row 0 at v = 1"),
            "color": Array("u1", ("T", "T", 3), "sRGB, row 0 at v = 1", False),
            "confidence": Array("u2", ("T", "T"), "how well the photo shows the texel, 65535 is fully", False),
            "landmarks": Array("f4", (LANDMARKS, 2), "UVs of the iBUG landmarks", False),
            **{name: array for arrays in MAP_ARRAYS.values() for name, array in arrays.items()},
        },
    ),
}


def check_arrays(described: Message, arrays: Mapping[str, ArrayLike]) -> None:
    """Check dtype and shape of the described arrays. Raises ArrayError for the first wrong one."""
    lengths: dict[str, int] = {}
    for name, about in described.arrays.items():
        if name not in arrays:
            if about.required:
                raise ArrayError(f"The array '{name}' is missing.")
            continue
        array = arrays[name]
        found = f"{array.dtype.kind}{array.dtype.itemsize}"
        if found != about.dtype or len(array.shape) != len(about.shape):
            raise ArrayError(f"The array '{name}' is {found} {array.shape}, not {about.dtype} {about.shape}.")
        for length, wanted in zip(array.shape, about.shape, strict=True):
            if isinstance(wanted, str):
                most = MAX_LENGTHS.get(wanted)
                fits = lengths.setdefault(wanted, length) == length and (most is None or length <= most)
            else:
                fits = length == wanted
            if not fits:
                raise ArrayError(f"The array '{name}' has the shape {array.shape}, which does not fit the others.")
