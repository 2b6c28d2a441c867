# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures with the part of every pixel for the parsing network: dressed people of the second head family, and photos
with rendered glasses, hats, scarves and hands before them."""

from dataclasses import dataclass

import cv2
import numpy as np

from hffne.parts import BACKGROUND, CLOTH, GLASSES, HAIR, LIPS, OCCLUDER, SKIN
from hffne.photo.colors import to_srgb
from hffne.synthesis.avatar_heads import AvatarHeads
from hffne.synthesis.avatar_people import AvatarPerson
from hffne.synthesis.avatar_render import AvatarRenderer
from hffne.synthesis.avatar_sampling import warped
from hffne.synthesis.covers import cover
from hffne.synthesis.rays import RayScene
from hffne.synthesis.render import HeadView, Window, canonical_window, project, seen_through
from hffne.synthesis.sampling import euler, jittered, random_view, stretched
from hffne.synthesis.scene import Light, Shot, Thing, random_light, shoot
from hffne.synthesis.wearables import Form, random_glasses, random_hat, random_scarf

SIZE = 384  # pixels a side: the crop at 256 with a margin around it
WIDER = 1.5  # how many times as wide as the crop
# Shares of the pictures with glasses, dark ones among them, hats, scarves, hands, and flat covers.
_GLASSES, _DARK, _HATS, _SCARVES, _HANDS, _COVERS = 0.35, 0.25, 0.15, 0.08, 0.22, 0.25
# The gloss of skin, from matte to wet, and how narrow its highlights are.
SHINE, POLISH = (0.01, 0.35), (8, 80)
_TONES = np.array(
    [
        [0.02, 0.02, 0.02],
        [0.05, 0.03, 0.02],
        [0.12, 0.06, 0.03],
        [0.35, 0.2, 0.08],
        [0.5, 0.36, 0.2],
        [0.45, 0.45, 0.45],
        [0.7, 0.68, 0.65],
        [0.25, 0.06, 0.02],
    ]
)
_OPAQUE = 0.45  # a lens or reflection that hides more than this is glasses


@dataclass
class Wardrobe:
    """What scenes are made of."""

    renderer: AvatarRenderer
    heads: AvatarHeads
    people: list[AvatarPerson]
    skies: np.ndarray


def wide(window: Window) -> Window:
    """The crop's window with the margin."""
    return Window(window.x, window.y, window.side * WIDER)


@dataclass
class Scene:
    """One person, dressed. things: the body first; lenses: of glasses; window: what a picture shows; marks (68, 3): the
    iBUG points; shape (W, 3): the head as the family has it."""

    things: list[Thing]
    lenses: Form | None
    view: HeadView
    window: Window
    light: Light
    marks: np.ndarray
    shape: np.ndarray


def person_scene(
    wardrobe: Wardrobe, chosen: np.ndarray, background: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """rgb (SIZE, SIZE, 3) uint8, part (SIZE, SIZE) uint8 and albedo (SIZE, SIZE, 3) uint8 sRGB, as its surface is
    without light, of one of the `chosen` people, moved and recolored.

    background (SIZE, SIZE, 3) uint8.
    """
    number = int(chosen[rng.integers(len(chosen))])
    scene = random_scene(wardrobe, number, wardrobe.people[number].vertices, rng)
    scene.window = wide(scene.window)
    shot, rgb, part = photographed(scene, background, rng)
    sample = finished(rgb, part, on_picture(scene.marks, scene.view, scene.window, SIZE), rng)
    return sample | {"albedo": to_srgb(shot.albedo)}


def random_scene(
    wardrobe: Wardrobe,
    number: int,
    vertices: np.ndarray,
    rng: np.random.Generator,
    bare: float = 0.0,
    view: HeadView | None = None,
    shape: np.ndarray | None = None,
) -> Scene:
    """The person of this number with the body's `vertices` (V, 3), warped, recolored and dressed, under some light.

    bare: the share that wears nothing. view: default a random one. shape (W, 3): the head within the body, default the
    person's own.
    """
    person = wardrobe.people[number]
    count = len(person.vertices)
    both = np.concatenate([vertices, wardrobe.heads.shapes[number] if shape is None else shape])
    both = stretched(rng, warped(rng, both)).astype(np.float32)
    vertices, shape = both[:count], both[count:]
    view = view or random_view(rng)
    window = jittered(
        rng, canonical_window(project(wardrobe.renderer.layout.sample(shape), view), wardrobe.renderer.layout.mask)
    )
    colors = recolored(person, rng)
    body = Thing(vertices, person.triangles, person.uv, person.sheet, colors, person.parts)
    body.shine, body.polish = (float(np.exp(rng.uniform(*np.log(limits)))) for limits in (SHINE, POLISH))
    marks = vertices[person.landmarks]
    worn: list[Thing] = []
    lenses = None
    if not bare or rng.random() >= bare:
        worn, lenses = dressed(wardrobe, vertices[np.linalg.norm(vertices, axis=1) < 16], marks, rng)
    return Scene([body, *worn], lenses, view, window, random_light(rng, wardrobe.skies), marks, shape)


def photographed(scene: Scene, background: np.ndarray, rng: np.random.Generator) -> tuple[Shot, np.ndarray, np.ndarray]:
    """The shot, the picture (S, S, 3) 0..1 and its parts (S, S) of a scene before a background (S, S, 3) uint8."""
    shot = shoot(scene.things, scene.view, scene.window, len(background), scene.light, rng)
    shown = developed(shot.color, shot.thing == 0, rng)
    rgb, part = through_lenses(
        shown, shot.part.copy(), shot.depth, scene.lenses, scene.view, scene.window, scene.light, rng
    )
    solid = shot.thing >= 0
    part[~solid] = BACKGROUND
    edge = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), rng.uniform(0.5, 1.2))[..., None]
    return shot, rgb * edge + background.astype(np.float32) / 255 * (1 - edge), part


def photo_scene(
    wardrobe: Wardrobe,
    photo: np.ndarray,
    part: np.ndarray,
    head: np.ndarray,
    triangles: np.ndarray,
    landmarks: np.ndarray,
    view: HeadView,
    window: Window,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """The same of a photo (SIZE, SIZE, 3) uint8 with the parts (SIZE, SIZE), UNKNOWN where they are not known.

    head (V, 3), triangles, landmarks (68,) vertices, view: its fit; window: what the photo shows, in cm.
    """
    marks = head[landmarks]
    worn, lenses = dressed(wardrobe, head[np.linalg.norm(head, axis=1) < 16], marks, rng)
    rgb, part = photo.astype(np.float32) / 255, part.copy()
    if worn or lenses is not None:
        light = random_light(rng, wardrobe.skies)
        shot = shoot(
            [Thing(head, triangles, color=np.full(3, 0.3, np.float32), part=SKIN), *worn],
            view,
            window,
            SIZE,
            light,
            rng,
        )
        skin = part == SKIN
        tone = np.median(rgb[skin], axis=0) if skin.sum() > 200 else np.full(3, 0.5)
        shown = developed(
            shot.color, shot.thing >= 0, rng, float(np.clip(tone.mean() * np.exp(rng.normal(0, 0.3)), 0.05, 0.9))
        )
        front = shot.thing > 0
        dimmed = _shaded(shot, rng)
        edge = cv2.GaussianBlur(front.astype(np.float32), (0, 0), rng.uniform(0.5, 1.0))[..., None]
        rgb = rgb * dimmed[..., None] * (1 - edge) + shown * edge
        part[front] = shot.part[front]
        rgb, part = through_lenses(rgb, part, shot.depth, lenses, view, window, light, rng)
    return finished(rgb, part, on_picture(marks, view, window, SIZE), rng)


def finished(rgb: np.ndarray, part: np.ndarray, marks: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Flat covers on top, and the picture as uint8."""
    rgb = np.clip(rgb, 0, 1)
    if rng.random() < _COVERS:
        rgb, part = cover(rng, rgb, part, marks)
    return {"rgb": np.round(np.clip(rgb, 0, 1) * 255).astype(np.uint8), "part": part.astype(np.uint8)}


def dressed(
    wardrobe: Wardrobe, head: np.ndarray, marks: np.ndarray, rng: np.random.Generator
) -> tuple[list[Thing], Form | None]:
    """What a head (V, 3) with the iBUG points (68, 3) wears, and the lenses of its glasses."""
    things: list[Thing] = []
    lenses = None
    if rng.random() < _GLASSES:
        frame, lenses = random_glasses(rng, marks)
        if rng.random() < 0.92:  # else rimless
            tone = np.exp(rng.uniform(np.log(0.01), np.log(0.6))) * np.exp(rng.normal(0, 0.35, 3))
            things.append(
                Thing(
                    frame.vertices,
                    frame.triangles,
                    color=tone.astype(np.float32),
                    part=GLASSES,
                    shine=rng.uniform(0, 0.8),
                )
            )
    kind = rng.random()
    if kind < _HATS + _SCARVES:
        form = random_hat(rng, head, marks) if kind < _HATS else random_scarf(rng, head, marks)
        tone = np.exp(rng.uniform(np.log(0.02), np.log(0.8))) * np.exp(rng.normal(0, 0.4, 3))
        things.append(
            Thing(
                form.vertices,
                form.triangles,
                color=np.clip(tone, 0, 0.9).astype(np.float32),
                part=CLOTH,
                weave=rng.uniform(0, 0.25),
            )
        )
    if rng.random() < _HANDS:
        things.append(_hand(wardrobe, marks, rng))
    return things, lenses


def _hand(wardrobe: Wardrobe, marks: np.ndarray, rng: np.random.Generator) -> Thing:
    """A hand before or beside a face."""
    person = wardrobe.people[rng.integers(len(wardrobe.people))]
    triangles = person.hands["left" if rng.random() < 0.5 else "right"]
    used, index = np.unique(triangles, return_inverse=True)
    points = person.vertices[used]
    sign = np.sign(points[:, 0].mean())
    points = points * [sign, 1, 1]  # fingers point along +x, the palm down
    points = points - [np.percentile(points[:, 0], 99), np.median(points[:, 1]), np.median(points[:, 2])]
    bend = rng.uniform(0, 0.035) * np.square(np.clip(points[:, 0] + 16, 0, None))
    points[:, 1] -= bend * 0.5
    # The palm to the face or to the viewer, the fingers upwards more often than not.
    palm = euler(0, 90 if rng.random() < 0.7 else -90, 0)
    way = rng.normal(90, 60)
    turn = euler(rng.normal(0, 20), rng.normal(0, 20), way) @ palm
    points = points @ turn.T
    touched = (
        points[rng.integers(len(points))]
        if rng.random() < 0.5
        else points[np.argmax(points @ np.array([np.cos(np.radians(way)), np.sin(np.radians(way)), 0]))]
    )
    goal = marks[rng.choice([1, 3, 5, 8, 11, 13, 15, 19, 24, 30, 33, 48, 51, 54, 57])]
    points = points - touched + goal
    points[:, 2] += rng.uniform(0.5, 3)
    own = [
        np.where((p == SKIN)[..., None], c * np.exp(rng.normal(0, 0.2)), c).astype(np.float32)
        for p, c in zip(person.parts, map(_linear, person.colors), strict=True)
    ]
    parts = [np.where(p == SKIN, OCCLUDER, p).astype(np.uint8) for p in person.parts]
    return Thing(
        points.astype(np.float32),
        index.reshape(-1, 3).astype(np.int32),
        person.uv[used],
        person.sheet[used],
        own,
        parts,
        shine=0.05,
    )


def recolored(person: AvatarPerson, rng: np.random.Generator) -> list[np.ndarray]:
    """The linear colors of a person's sheets, with other hair, clothes, lips and another skin tone."""
    hair = _TONES[rng.integers(len(_TONES))] * np.exp(rng.normal(0, 0.2, 3)) if rng.random() < 0.7 else None
    cloth = (
        np.exp(rng.uniform(np.log(0.03), np.log(0.85))) * np.exp(rng.normal(0, 0.5, 3)) if rng.random() < 0.7 else None
    )
    skin = np.exp(rng.normal(0, 0.3) + rng.normal(0, 0.06, 3) + np.array([0.06, 0, -0.06]) * rng.normal())
    lips = np.exp(np.array([0.1, -0.3, -0.2]) * rng.uniform(0, 1.5)) if rng.random() < 0.3 else np.ones(3)
    return [
        _tinted(_linear(colors), parts, {HAIR: hair, CLOTH: cloth}, skin, lips)
        for colors, parts in zip(person.colors, person.parts, strict=True)
    ]


def _tinted(
    colors: np.ndarray, parts: np.ndarray, goals: dict[int, np.ndarray | None], skin: np.ndarray, lips: np.ndarray
) -> np.ndarray:
    result = colors * np.where(
        (parts == LIPS)[..., None],
        skin * lips,
        np.where((parts == HAIR)[..., None] | (parts == CLOTH)[..., None], 1.0, skin),
    )
    for part, goal in goals.items():
        area = parts == part
        if goal is None or not area.any():
            continue
        gray = colors[area].mean(1)
        result[area] = (gray / max(float(gray.mean()), 1e-3))[:, None] ** 0.8 * np.clip(goal, 0.01, 0.85)
    return np.clip(result, 0, 1).astype(np.float32)


def _linear(colors: np.ndarray) -> np.ndarray:
    return ((colors / np.float32(255)) ** 2.2).astype(np.float32)


def developed(
    radiance: np.ndarray, face: np.ndarray, rng: np.random.Generator, level: float | None = None
) -> np.ndarray:
    """A display-referred picture (S, S, 3) 0..1 of linear light; `level`: brightness that the face's middle takes."""
    bright = float(np.percentile(radiance[face].mean(1), 60)) if face.any() else 1.0
    goal = rng.uniform(0.2, 0.7) if level is None else level
    gamma = rng.uniform(1.8, 2.6)
    light = np.clip(radiance / max(bright, 1e-4), 0, 20) * goal**gamma
    knee = rng.uniform(0.5, 1.0)  # highlights roll off
    light = np.where(
        light > knee, knee + (1 - knee) * (1 - np.exp(-np.maximum(light - knee, 0) / max(1 - knee, 1e-3))), light
    )
    return light.clip(0, 1) ** (1 / gamma)


def _shaded(shot: Shot, rng: np.random.Generator) -> np.ndarray:
    """(S, S) factor of brightness of a photo beside what lies before it: a soft contact shadow."""
    front = (shot.thing > 0).astype(np.float32)
    soft = cv2.GaussianBlur(front, (0, 0), rng.uniform(2, 7))
    shift = np.array([[1, 0, rng.normal(0, 3)], [0, 1, rng.uniform(0, 5)]], np.float32)
    return np.asarray(1 - rng.uniform(0, 0.7) * cv2.warpAffine(soft, shift, (SIZE, SIZE)), np.float32)


def through_lenses(
    rgb: np.ndarray,
    part: np.ndarray,
    depth: np.ndarray,
    lenses: Form | None,
    view: HeadView,
    window: Window,
    light: Light,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Tinted lenses and what they reflect, where nothing lies before them."""
    if lenses is None:
        return rgb, part
    size = len(rgb)
    seen = (lenses.vertices @ view.rotation.T).astype(np.float32)
    index, weights = seen_through(RayScene(seen, lenses.triangles), view, window, size)
    hit = index >= 0
    z = np.full(size * size, -1e6, np.float32)
    z[hit] = (seen[lenses.triangles[index[hit]], 2] * weights[hit]).sum(1)
    glass: np.ndarray = (z.reshape(size, size) > depth).astype(np.float32)
    glass = cv2.GaussianBlur(glass, (0, 0), 0.7)
    dark = rng.random() < _DARK
    opacity = rng.uniform(0.6, 0.98) if dark else rng.uniform(0, 0.12)
    tint = np.clip(rng.uniform(0, 0.25 if dark else 1.0) * np.exp(rng.normal(0, 0.25, 3)), 0, 1)
    layer = np.broadcast_to(np.float32(opacity), (size, size)).copy()
    if dark and rng.random() < 0.4:  # lighter below
        layer *= np.linspace(1.2, 0.6, size, dtype=np.float32)[:, None]
    color = np.broadcast_to(tint.astype(np.float32), (size, size, 3)).copy()
    if rng.random() < 0.5:  # a window or a lamp in the glass
        shine: np.ndarray = np.zeros((size, size), np.float32)
        for _ in range(rng.integers(1, 5)):
            middle = np.argwhere(glass > 0.5)
            if not len(middle):
                break
            y, x = middle[rng.integers(len(middle))]
            box = cv2.boxPoints(((float(x), float(y)), tuple(rng.uniform(4, 40, 2)), float(rng.uniform(0, 180))))
            cv2.fillConvexPoly(shine, np.round(box).astype(np.int32), (float(rng.uniform(0.2, 1)),))
        shine = cv2.GaussianBlur(shine, (0, 0), rng.uniform(0.6, 4))[..., None]
        sky = np.clip(np.exp(rng.normal(0, 0.15, 3)) * rng.uniform(0.6, 1), 0, 1)
        color = color + (sky - color) * shine
        layer = layer + (1 - layer) * shine[..., 0] * rng.uniform(0.3, 1)
    layer = np.clip(layer, 0, 1) * glass
    part = np.where((layer > _OPAQUE) & (glass > 0.5), GLASSES, part)
    return rgb + (color - rgb) * layer[..., None], part


def on_picture(points: np.ndarray, view: HeadView, window: Window, size: int) -> np.ndarray:
    """Pixels (N, 2) of points (N, 3) on a picture of `size` pixels a side."""
    seen = project(points, view)
    unit = size / window.side
    return np.stack(
        [(seen[:, 0] - window.x) * unit + size / 2 - 0.5, size / 2 - 0.5 - (seen[:, 1] - window.y) * unit], 1
    )
