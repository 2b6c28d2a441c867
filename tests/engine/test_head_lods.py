# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped head's levels of detail."""

import numpy as np
import pytest

from hffne.head.model import LODS, PARTS, HeadMesh, head_model

pytest.importorskip("embreex")

SEEN_THROUGH = ("Tear Line", "Eye Blend", "Eye Occlusion", "Lashes")


# Of the face before the ears, to the full surface, in meters: on the mean and at 95 %.
CLOSE = {"half": (0.00008, 0.0004), "game": (0.00025, 0.0009)}


@pytest.fixture(scope="module", params=LODS[1:])
def level(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def mesh(level) -> HeadMesh:
    return head_model().lods[level]


def faces(mesh: HeadMesh) -> list[frozenset[int]]:
    """The vertices of each face, as numbers of the full model's."""
    return [frozenset(mesh.vertices[quad[quad >= 0]].tolist()) for quad in mesh.quads]


def full_normals() -> np.ndarray:
    """Unit normals (V, 3) of the full model at rest."""
    points, triangles = head_model().neutral.astype(float), head_model().mesh.triangles
    a, b, c = points[triangles].transpose(1, 0, 2)
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(b - a, c - a))
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-20)


def border_loops(mesh: HeadMesh, part: str | None = None) -> int:
    """The closed lines along which a part, or all, is open."""
    quads = mesh.vertices[mesh.quads]
    quads[mesh.quads < 0] = -1
    chosen = np.ones(len(quads), bool) if part is None else mesh.quad_parts == PARTS.index(part)
    follows = {}
    sides = set()
    for quad in quads[chosen].tolist():
        corners = [one for one in quad if one >= 0]
        sides |= set(zip(corners, corners[1:] + corners[:1], strict=True))
    for a, b in sides:
        if (b, a) not in sides:
            assert a not in follows
            follows[a] = b
    loops = 0
    while follows:
        start, at = follows.popitem()
        while at != start:
            at = follows.pop(at)
        loops += 1
    return loops


def first_part(mesh: HeadMesh, pose: dict[str, float], points: np.ndarray) -> np.ndarray:
    """The part (N,) that is seen from the front at points (N, 3), lashes and what lies on the eyes left out."""
    from hffne.synthesis.rays import RayScene

    model = head_model()
    opaque = ~np.isin(mesh.triangle_parts, [PARTS.index(name) for name in SEEN_THROUGH])
    scene = RayScene(model.expressions.add(model.neutral, pose)[mesh.vertices], mesh.triangles[opaque])
    hit, _ = scene.seen_from_front(points[:, 0], points[:, 1], 1.0)
    assert (hit >= 0).all()
    return mesh.triangle_parts[opaque][hit]


def test_levels_have_the_promised_sizes():
    count = {name: len(head_model().lods[name].vertices) for name in LODS}
    assert count["full"] == 26719
    assert 12000 < count["half"] < 14000
    assert 5500 < count["game"] < 6700


def test_vertices_are_vertices_of_the_full_model(mesh):
    assert (np.diff(mesh.vertices) > 0).all()
    assert mesh.vertices[0] >= 0 and mesh.vertices[-1] < len(head_model().neutral)
    used = np.unique(mesh.quads)
    assert np.array_equal(used[used >= 0], np.arange(len(mesh.vertices)))


def test_faces_are_quads_but_for_a_few_of_the_teeth_and_gums(mesh):
    triangle = mesh.quads[:, 3] < 0
    assert triangle.mean() < 0.03
    rough = np.isin(mesh.quad_parts, [PARTS.index("Teeth"), PARTS.index("Gums and Tongue")])
    assert triangle[~rough].mean() < 0.001
    assert not triangle[mesh.quad_parts <= PARTS.index("Mouth")].any()


def test_no_face_is_there_twice_or_without_area(mesh):
    assert len(set(faces(mesh))) == len(mesh.quads)
    assert all(len(face) == 3 + (quad[3] >= 0) for face, quad in zip(faces(mesh), mesh.quads, strict=True))
    a, b, c = head_model().neutral[mesh.vertices[mesh.triangles]].transpose(1, 0, 2).astype(float)
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-10


def test_each_level_is_its_own_mirror_image(mesh):
    mirror = head_model().mirror
    assert np.array_equal(mirror[mirror], np.arange(len(mirror)))
    assert {frozenset(mirror[list(face)].tolist()) for face in faces(mesh)} == set(faces(mesh))


def test_every_part_is_there_and_open_where_the_full_model_is(mesh):
    full = head_model().mesh
    assert border_loops(mesh) == border_loops(full)
    for part in PARTS:
        assert border_loops(mesh, part) == border_loops(full, part)


def test_faces_look_where_the_full_surface_looks(mesh):
    points, normals = head_model().neutral, full_normals()
    own = mesh.vertices[mesh.triangles]
    a, b, c = points[own].transpose(1, 0, 2)
    facing = (np.cross(b - a, c - a)[:, None] * normals[own]).sum(2) > 0
    assert facing.any(1).all()
    assert (~facing).mean() < 0.01


def test_corners_keep_their_uvs_and_charts(mesh):
    """A corner's UV is one that its vertex has in the full model, and no face of a chart is turned over in it."""
    model = head_model()
    full = model.mesh
    there = mesh.quads >= 0
    known = {
        (vertex, *uv)
        for vertex, uv in zip(full.quads[full.quads >= 0].tolist(), full.uvs[full.quads >= 0].tolist(), strict=True)
    }
    own = zip(mesh.vertices[mesh.quads[there]].tolist(), mesh.uvs[there].tolist(), strict=True)
    assert all((vertex, *uv) in known for vertex, uv in own)

    def area(level: HeadMesh) -> np.ndarray:
        a, b, c = level.uvs.reshape(-1, 2)[level.triangle_corners].astype(float).transpose(1, 0, 2)
        return np.asarray((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])

    skin = area(mesh)[mesh.triangle_parts == 0]
    before = area(full)[full.triangle_parts == 0]
    assert (skin > 0).all() == (before > 0).all()
    assert abs(np.abs(skin).sum() / np.abs(before).sum() - 1) < 0.02


def test_the_face_stays_close_to_the_full_surface(level, mesh):
    from hffne.synthesis.rays import RayScene

    model = head_model()
    points = model.neutral
    scene = RayScene(points[mesh.vertices], mesh.triangles[mesh.triangle_parts == 0])
    normals = full_normals()
    face = model.part_vertices["Skin"]
    face = face[points[face, 2] > 0.05]
    distance = np.full(len(face), np.inf)
    for way in (1, -1):
        hit, _, length = scene.first_hit(points[face] - way * 1e-5 * normals[face], way * normals[face])
        distance = np.where(hit >= 0, np.minimum(distance, np.maximum(length - 1e-5, 0)), distance)
    assert distance.mean() < CLOSE[level][0]
    assert np.quantile(distance, 0.95) < CLOSE[level][1]


def test_lids_close_and_lips_part(mesh):
    model = head_model()
    marks = model.at_landmarks(model.neutral)
    eye = [PARTS.index(name) for name in ("Eye Left", "Eye Right")]
    for ring in (slice(36, 42), slice(42, 48)):
        middle = marks[ring].mean(0)
        slit = middle + (marks[ring][:, None] - middle).reshape(-1, 3) * 0.6
        assert np.isin(first_part(mesh, {}, slit), eye).all()
        # The model's own blinking leaves a slit.
        across = np.concatenate([middle + t * (marks[ring] - middle) for t in np.linspace(0, 1, 9)])
        shut = first_part(mesh, {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, across)
        assert np.mean(shut == 0) > 0.8
    mouth = marks[[61, 62, 63]] * 0.5 + marks[[67, 66, 65]] * 0.5 - [0, 0.006, 0]
    assert (first_part(mesh, {}, mouth) == 0).all()
    assert (first_part(mesh, {"jawOpen": 1.0}, mouth) != 0).all()


def test_the_iris_stays_behind_the_cornea(mesh):
    from hffne.synthesis.rays import RayScene

    model = head_model()
    at = np.linspace(-1, 1, 41)
    x, y = (one.ravel() for one in np.meshgrid(at, at))
    inside = np.hypot(x, y) < 0.66
    toward = np.stack([x, y, np.sqrt(np.maximum(1 - x * x - y * y, 0))], 1)[inside].astype(np.float32)
    for side in ("Left", "Right"):
        center = model.neutral[model.part_vertices[f"Eye {side}"]].mean(0)
        depth = []
        for name in ("Eye", "Iris"):
            part = mesh.triangles[mesh.triangle_parts == PARTS.index(f"{name} {side}")]
            hit, _, length = RayScene(model.neutral[mesh.vertices], part).first_hit(center + 0.03 * toward, -toward)
            depth.append(np.where(hit >= 0, length, np.inf))
        assert (depth[0] < depth[1]).all()
