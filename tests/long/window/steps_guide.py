# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of the user guide, guide-*.png: `--steps start guide`, with a `--photo` whose terms allow it."""

import time

from PIL import Image

# Panels that are open or closed in a picture. Blender remembers a panel's state by its name, so they get new names.
# The list of presets keeps its own, by which its button asks for it.
PANELS = """
ours = [cls for cls in part('ui').CLASSES if issubclass(cls, bpy.types.Panel) and cls.bl_region_type == 'UI']
def show(*names):
    for cls in reversed(ours):
        bpy.utils.unregister_class(cls)
    for cls in ours:
        plain = cls.__name__
        cls.bl_idname = plain + '_' + str(time.monotonic_ns())[-8:] + str(ours.index(cls))
        cls.bl_options = set() if plain in names else {'DEFAULT_CLOSED'}
    known = {cls.__name__: cls.bl_idname for cls in ours}
    for cls in ours:
        parent = getattr(cls, 'bl_parent_id', '')
        if parent:
            cls.bl_parent_id = known[next(name for name in known if parent == name or parent.startswith(name + '_'))]
    for cls in ours:
        bpy.utils.register_class(cls)
    place(region='UI')['region'].tag_redraw()
"""


def _show(test, *names):
    test.blender.evaluate(f"show{('HFFNE_PT_face', *names)!r}")
    time.sleep(4)


def _cut(test, name, region=None, height=None, wait=3):
    """A picture of the 3D viewport, or of one of its regions, down to a height."""
    test.screen.move(5, 790)
    time.sleep(wait)
    path = test.out / f"{name}.png"
    test.screen.picture(path)
    where = "place()['area']" if region is None else f"place(region={region!r})['region']"
    left, top, width, full = test.blender.evaluate(f"answer = rectangle({where})")
    picture = Image.open(path).convert("RGB")
    picture.crop((left, top, left + width, top + min(full, height or full))).save(path, optimize=True)


def step_90_guide_new(test):
    options = f"filepath={str(test.zip)!r}, repo='user_default', enable_on_install=True"
    test.blender.evaluate(
        f"bpy.ops.extensions.package_install_files({options})\n"
        "bpy.data.objects.remove(bpy.data.objects['Cube'])\n"
        "view = place()['area'].spaces.active; view.show_region_ui = True\n"
        "view.overlay.show_floor = view.overlay.show_cursor = view.overlay.show_axis_x = False",
        timeout=180,
    )
    time.sleep(3)
    test.blender.evaluate("place(region='UI')['region'].active_panel_category = 'Face From Photo'")
    test.blender.evaluate(PANELS)
    _show(test)
    _cut(test, "guide-new", "UI", 420)


def step_91_guide_faces(test):
    test.blender.evaluate(
        f"bpy.context.preferences.addons[package()].preferences.engine_python = {str(test.engine)!r}\n"
        f"bpy.context.scene.hffne.photo = {str(test.photos['two'])!r}"
    )
    test.blender.until("len(bpy.context.window_manager.hffne_faces) == 2", 240)
    _cut(test, "guide-faces", "UI", 520, 6)


def step_92_guide_face(test):
    test.blender.evaluate(
        f"chosen = bpy.context.scene.hffne; chosen.photo = {str(test.photos['one'])!r}; chosen.texture_size = '1024'"
    )
    test.blender.until("len(bpy.context.window_manager.hffne_faces) == 1", 240)
    test.blender.evaluate("with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.generate('INVOKE_DEFAULT')")
    test.blender.until("session().state.task.progress > 0.2", 240)
    _cut(test, "guide-generating", wait=1)
    test.blender.until("not session().running()", 600)
    _show(test, "HFFNE_PT_detail")
    names = test.mesh_names()
    test.expect("one face", len(names) == 1, names)
    # Material Preview takes minutes where the graphics card is software.
    test.blender.evaluate("view.shading.color_type = 'TEXTURE'")
    _cut(test, "guide-face", wait=8)


def step_93_guide_fit(test):
    _show(test, "HFFNE_PT_pins")
    test.blender.evaluate(
        "view.shading.color_type = 'MATERIAL'\n"
        "obj = next(o for o in bpy.data.objects if o.type == 'MESH'); obj.select_set(True)\n"
        "bpy.context.view_layer.objects.active = obj\n"
        "with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.edit_pins('INVOKE_DEFAULT')"
    )
    test.blender.until("part('pins.overlay')._state.photos", 240)
    time.sleep(3)
    # Some pins along the jaw and at the mouth, a little farther out.
    test.blender.evaluate(
        "face = part('pins.pinned_face').PinnedFace(obj)\n"
        "marks = face.pixels(face.landmarks(part('scene.built_shape').points(obj)))\n"
        "middle = marks[30, 0]; wide = marks[16, 0] - marks[0, 0]\n"
        "for number in (3, 13, 5, 11, 8, 48, 54):\n"
        "    x, y = marks[number]; out = 0.012 * wide * (1 if x > middle else -1) * (number < 17 and number != 8)\n"
        "    bpy.ops.hffne.move_pin(face=obj.name, start=(x, y), to=(x + out, y), reach=1.0, project=False)",
        timeout=120,
    )
    test.blender.evaluate("bpy.ops.hffne.project_maps(face=obj.name)", timeout=600)
    _cut(test, "guide-fit", wait=6)
    test.blender.evaluate("with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.edit_pins('INVOKE_DEFAULT')")


def step_94_guide_look(test):
    _show(test, "HFFNE_PT_look")
    _cut(test, "guide-look", "UI", 660)


def step_95_guide_apply(test):
    """The dialog of Apply to My Mesh, over a copy of the head's mesh."""
    test.blender.evaluate(
        "mesh = obj.data.copy()\n"
        "hero = bpy.data.objects.new('My Head', mesh); bpy.context.scene.collection.objects.link(hero)\n"
        "hero.shape_key_clear(); mesh.materials.clear()\n"
        "obj.hide_set(True); hero.select_set(True); bpy.context.view_layer.objects.active = hero"
    )
    _show(test, "HFFNE_PT_character")
    left, top = test.blender.evaluate("answer = rectangle(place()['region'])")[:2]
    test.screen.move(left + 300, top + 40)
    time.sleep(1)
    test.blender.evaluate(
        "with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.apply_to_mesh('INVOKE_DEFAULT')"
    )
    time.sleep(4)
    path = test.out / "guide-apply.png"
    test.screen.picture(path)
    test.screen.key("Escape")
