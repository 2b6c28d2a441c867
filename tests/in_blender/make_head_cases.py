# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about the choice of head or mask, and about a mask that becomes a head; the engine is the fake one."""

from pathlib import Path
from types import SimpleNamespace

import bpy
import case_process
import numpy as np
from case_process import choose, counts, start
from recorded_layout import Layout

from hffne_blender.engine import session
from hffne_blender.operators.bases import placement
from hffne_blender.scene import detail_nodes, head, photo_source
from hffne_blender.ui import detail_panel, panel

SMALL = {"texture_size": "512", "grid": "32", "maps": set()}


def photo_in(folder, name="good.jpg"):
    path = Path(folder) / name
    path.write_bytes(b"the fake engine does not look inside")
    return str(path)


def mask_of(photo, python):
    bpy.ops.hffne.generate(photo=photo, base="MASK", engine_python=python, **SMALL)
    return bpy.context.object


def drawn(cls):
    lines = []
    cls.draw(SimpleNamespace(layout=Layout(lines)), bpy.context)
    return lines


def case_base(python, folder):
    """What is requested and built for each base, from the operator and from the panel."""
    start()
    photo, chosen, result = photo_in(folder), bpy.context.scene.hffne, {}
    chosen.photo = photo
    for base in ("HEAD", "MASK"):
        chosen.base = base
        size = {"detail_size": "512", "keep_glasses": True} if base == "HEAD" else {}
        bpy.ops.hffne.generate(base=base, lod="GAME", engine_python=python, **size, **SMALL)
        obj = bpy.context.object
        # The answer that is kept belongs to this request.
        request = session.state.last_answer[0][0]
        result[base] = [head.is_head(obj), request["base"], request["lod"], request.get("size"), request["keep"]]
        result[f"{base} panel"] = [line.split()[1] for line in drawn(panel.HFFNE_PT_result) if line.startswith("prop ")]
        result[f"{base} photo"] = [photo_source.paths_of(obj) == [photo], photo_source.face_of(obj)]
        lines = drawn(detail_panel.HFFNE_PT_detail)
        result[f"{base} detail"] = [
            any(text in line for line in lines) for text in ("hffne.make_head", "Photo Expression")
        ]
        result[f"{base} poll"] = bpy.ops.hffne.make_head.poll()
    queue = photo_in(folder, "queued.jpg")
    bpy.ops.hffne.batch_run(directory=folder, base="HEAD", engine_python=python, **SMALL)
    queued = bpy.data.objects["queued"]
    result["queue"] = [head.is_head(queued), photo_source.paths_of(queued) == [queue]]
    return result


def case_make_head(python, folder):
    """The head takes the mask's place, parent and sliders; the mask is hidden; one undo brings it back."""
    start()
    mask = mask_of(photo_in(folder), python)
    holder = bpy.data.objects.new("holder", None)
    group = bpy.data.collections.new("People")
    bpy.context.scene.collection.children.link(group)
    bpy.context.scene.collection.objects.link(holder)
    group.objects.link(mask)
    holder.location = (4, 5, 6)
    mask.parent, mask.location, mask.rotation_euler, mask.scale = holder, (1, 2, 3), (0.1, 0.2, 0.3), (2, 2, 2)
    bpy.ops.hffne.set_detail(strength=0.4, clay=0.7)
    bpy.context.view_layer.update()
    matrix, name = np.array(mask.matrix_world), mask.name
    bpy.ops.ed.undo_push(message="before")
    state = sorted(bpy.ops.hffne.make_head(engine_python=python, **SMALL))
    bpy.ops.ed.undo_push(message="after")
    bpy.context.view_layer.update()
    made = bpy.context.object
    node = detail_nodes.find_node(made.data.materials[0])
    result = {
        "state": state,
        "head": [head.is_head(made), made.name != name, made.select_get()],
        "moved": float(np.abs(np.array(made.matrix_world) - matrix).max()),
        "parent": made.parent.name,
        "collections": sorted(other.name for other in made.users_collection),
        "strength": node.inputs["Strength"].default_value,
        "photo": len(photo_source.paths_of(made)),
        "mask": [bpy.data.objects[name].hide_get(), bpy.data.objects[name].hide_render],
        "poll": bpy.ops.hffne.make_head.poll(),
    }
    bpy.ops.ed.undo()
    mask = bpy.data.objects[name]
    result["undone"] = [mask.hide_get(), mask.hide_render, sum(obj.type == "MESH" for obj in bpy.data.objects)]
    bpy.ops.ed.redo()
    result["redone"] = sum(head.is_head(obj) for obj in bpy.data.objects)
    return result


def case_make_head_room():
    """Where a larger shape goes in the place of a smaller one, which touched an object beside it or did not."""
    start()
    result = {}
    for which, at in (("beside", 0.18), ("inside", 0.08)):
        small, large, other = (box_at(0, 0.1), box_at(0, 0.3), box_at(at, 0.1))
        moved = placement.make_room(bpy.context, large, small)
        bpy.context.view_layer.update()
        result[which] = [moved, large.matrix_world.translation.x]
        for obj in (small, large, other):
            bpy.data.objects.remove(obj)
    return result


def box_at(x, side):
    bpy.ops.mesh.primitive_cube_add(size=side, location=(x, 0, 0))
    return bpy.context.object


def case_make_head_errors(python, folder):
    """A mask of an earlier version needs a photo; what cannot become a head leaves all as it was."""
    start()
    mask, result = mask_of(photo_in(folder), python), {}
    del mask["hffne_photo_path"]
    profile, missing = photo_in(folder, "profile.jpg"), str(Path(folder) / "missing.jpg")
    before = counts()
    for which, values in (("old", {}), ("missing", {"filepath": missing}), ("profile", {"filepath": profile})):
        choose(mask)
        try:
            bpy.ops.hffne.make_head(engine_python=python, **values, **SMALL)
            result[which] = ""
        except RuntimeError:
            result[which] = session.state.last_error["code"]
    result["left"] = [counts() == before, mask.hide_get(), mask.hide_render]
    choose(mask)
    photo = photo_in(folder, "found again.jpg")
    result["given"] = sorted(bpy.ops.hffne.make_head(filepath=photo, engine_python=python, **SMALL))
    result["stored"] = photo_source.paths_of(bpy.context.object) == [photo]
    # Moved together with its photo, a file still finds it.
    elsewhere = Path(folder) / "elsewhere"
    elsewhere.mkdir()
    Path(photo).rename(elsewhere / "found again.jpg")
    result["gone"] = photo_source.paths_of(bpy.context.object)
    bpy.ops.wm.save_as_mainfile(filepath=str(elsewhere / "face.blend"))
    result["beside"] = photo_source.paths_of(bpy.context.object) == [str(elsewhere / "found again.jpg")]
    return result


if __name__ == "__main__":
    case_process.main(globals())
