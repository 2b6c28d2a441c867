# SPDX-License-Identifier: GPL-3.0-or-later
"""Small stand-ins for the data sets with known normals, in the data sets' own folder layouts."""

import numpy as np
from PIL import Image

# Zenith and azimuth in degrees of the four lights: im0 from the lower right, then counter-clockwise.
FOUR = ((40, -45), (40, 45), (40, 135), (40, 225))


def ball(width, height):
    """Normals (H, W, 3) of an ellipsoid that fills most of the picture, and the mask (H, W)."""
    x, y = np.meshgrid(np.linspace(-1.2, 1.2, width), np.linspace(1.2, -1.2, height))
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    return np.dstack([x, y, z]), z > 0


def shaded(normals, mask, light, albedo=0.8):
    """(H, W) uint8 of a matte ball under a light (3,)."""
    light = np.asarray(light, float) / np.linalg.norm(light)
    return np.where(mask, np.round(np.clip(normals @ light, 0, 1) * albedo * 255), 0).astype(np.uint8)


def polar(zenith, azimuth):
    zenith, azimuth = np.radians([zenith, azimuth])
    return np.array([np.sin(zenith) * np.cos(azimuth), np.sin(zenith) * np.sin(azimuth), np.cos(zenith)])


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def light_source(angles=FOUR):
    rows = ";\n".join(f"{zenith} {azimuth}" for zenith, azimuth in angles)
    return f"% zenith azimuth [1 2 3]\nLightSource = [{rows}];\n"


def photoface(folder, people=3, sessions=2, size=(60, 72)):
    """PhotofaceDB; returns the true normals and the mask of every session."""
    normals, mask = ball(*size)
    for person in range(people):
        for session in range(sessions):
            inner = folder / "PhotofaceDB" / str(1001 + person) / f"2008-02-{10 + session}_12-21-31"
            for number, angles in enumerate(FOUR):
                save(inner / f"im{number}.bmp", shaded(normals, mask, polar(*angles)))
            (inner / "LightSource.m").write_text(light_source())
            (inner / "metadata.txt").write_text("not read\n")
    return normals, mask


def obj_head(path, seam=True):
    """An ellipsoid with a texture (red on its left half, blue on its right) as OBJ, MTL and PNG; axes (80, 110, 90)."""
    rows, columns = 40, 60
    polar_, around = np.meshgrid(np.linspace(0, np.pi, rows), np.linspace(0, 2 * np.pi, columns), indexing="ij")
    points = np.stack(
        [
            np.sin(polar_) * np.sin(around) * 80 + 5,
            np.cos(polar_) * 110 - 7,
            np.sin(polar_) * np.cos(around) * 90 + 300,
        ],
        -1,
    )
    lines = [f"mtllib {path.stem}.mtl", "usemtl head"]
    lines += ["v {:.5f} {:.5f} {:.5f}".format(*p) for p in points.reshape(-1, 3)]
    lines += [f"vt {c / (columns - 1):.6f} {1 - r / (rows - 1):.6f}" for r in range(rows) for c in range(columns)]
    for r in range(rows - 1):
        for c in range(columns - 1):
            a, b, d, e = (
                r * columns + c + 1,
                (r + 1) * columns + c + 1,
                (r + 1) * columns + c + 2,
                r * columns + c + 2,
            )
            lines += [f"f {a}/{a} {b}/{b} {d}/{d}", f"f {a}/{a} {d}/{d} {e}/{e}"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".mtl").write_text(f"newmtl head\nmap_Kd {path.stem}.png\n")
    texture = np.zeros((32, 64, 3), np.uint8)
    texture[:, :32, 2] = 200  # the first half of u goes around by the picture's right
    texture[:, 32:, 0] = 200
    save(path.with_suffix(".png"), texture)


def florence(folder, subjects=(1, 2)):
    for subject in subjects:
        inner = folder / f"subject_{subject:02d}" / "Model" / "frontal1" / "obj"
        obj_head(inner / f"1109201504{subject:02d}.obj")
        # Other files in the folder are not the scan.
        (inner / "aligned.obj").write_text("v 0 0 0\n")


def w300(folder, count):
    for part, name in (("01_Indoor", "indoor"), ("02_Outdoor", "outdoor")):
        for number in range(1, count + 1):
            path = folder / "300W" / part / f"{name}_{number:03d}.png"
            save(path, np.full((40, 30, 3), number, np.uint8))
            points = "\n".join(f"{k + 1.5:.3f} {2 * k + 1:.3f}" for k in range(68))
            path.with_suffix(".pts").write_text(f"version: 1\nn_points: 68\n{{\n{points}\n}}\n")


def celeba(folder, count=6):
    names = [f"{number:06d}.jpg" for number in range(1, count + 1)]
    for name in names:
        save(folder / "img_align_celeba" / name, np.full((218, 178, 3), 90, np.uint8))
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} {k % 3}\n" for k, name in enumerate(names)))


def ffhq(folder, numbers):
    for number in numbers:
        save(
            folder / "images1024x1024" / f"{number // 1000 * 1000:05d}" / f"{number:05d}.png",
            np.full((1024, 1024), 120, np.uint8),
        )


def ict3drfe(folder, faces=(("01", "neutral"), ("01", "smile"), ("02", "neutral"))):
    normals, mask = ball(50, 60)
    for subject, expression in faces:
        stem = folder / subject / expression
        stored = np.where(mask[..., None], np.round((normals * 0.5 + 0.5) * 255), 0).astype(np.uint8)
        save(stem.with_name(expression + "_normal.png"), stored)
        albedo = np.where(mask[..., None], np.uint8([200, 150, 120]), 0).astype(np.uint8)
        save(stem.with_name(expression + "_albedo.png"), albedo)
        save(stem.with_name(expression + "_photo.png"), (albedo * normals[..., 2:].clip(0)).astype(np.uint8))
    return normals, mask


def yaleb(folder, people=("yaleB01", "yaleB02")):
    """CroppedYale; returns the true normals and the mask."""
    normals, mask = ball(168, 192)
    for person in people:
        names = []
        for azimuth in (-110, -60, -25, 0, 25, 60):
            for elevation in (-20, 0, 40):
                names.append(f"{person}_P00A{azimuth:+04d}E{elevation:+03d}.pgm")
                a, e = np.radians([azimuth, elevation])
                # A positive azimuth is on the person's right: to the left on the picture.
                light = (-np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e))
                save(folder / "CroppedYale" / person / names[-1], shaded(normals, mask, light))
        names.append(f"{person}_P00A+120E+00.pgm")
        (folder / "CroppedYale" / person / (names[-1] + ".bad")).write_bytes(b"")
        (folder / "CroppedYale" / person / f"{person}_P00.info").write_text("\n".join(names) + "\n")
    return normals, mask


def aflw2000(folder, count=3):
    from scipy.io import savemat

    points = np.random.default_rng(0).uniform(100, 300, (3, 68))
    for number in range(count):
        save(folder / f"image{number:05d}.jpg", np.full((450, 450, 3), 99, np.uint8))
        savemat(folder / f"image{number:05d}.mat", {"pt3d_68": points, "Pose_Para": np.full((1, 7), np.radians(10.0))})
    return points


def london(folder, count=3):
    """The London Set with gray photos; returns the 12 points (12, 2) of each person, by name."""
    from hffne.datasets.london import IBUG

    rng = np.random.default_rng(0)
    mean = {36: (30, 40), 39: (45, 40), 42: (65, 40), 45: (80, 40), 48: (40, 90), 54: (70, 90)}
    mean |= {51: (55, 85), 57: (55, 97), 33: (55, 72), 8: (55, 120), 31: (47, 70), 35: (63, 70)}
    points = {}
    for number in range(1, count + 1):
        save(folder / f"{number:03d}_neutral.jpg", np.full((150, 120, 3), 99, np.uint8))
        points[f"{number:03d}"] = rng.uniform(0, 100, (189, 2))
        places = np.array([mean[point] for point in IBUG]) + rng.normal(0, 2, (12, 2))
        points[f"{number:03d}"][list(IBUG.values())] = places
    np.savez(folder / "landmarks189_neutral.npz", **points)
    return {name: value[list(IBUG.values())] for name, value in points.items()}
