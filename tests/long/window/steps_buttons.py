# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that press, with the mouse, the sidebar's buttons that no other step presses."""

import time

from clicking import ABOVE_ROW, down_the_list, press_at, press_each, show, tidy

CHOSEN, QUEUE = "bpy.context.scene.hffne.", "bpy.context.scene.hffne_batch."
BROWSER, TEXTS = "bool(browser())", "sorted(text.name for text in bpy.data.texts)"
# Pixels from Generate Face to the engine's line, from Turntable to Light the Face.
BELOW_GENERATE, ABOVE_TURNTABLE = 30, 50
# From the button of the list of presets to the right, to the list's + and -.
PLUS = 93


def step_40_buttons_begin(test):
    """A small head with all maps alone in the scene."""
    test.prepare(clear=True)
    test.blender.evaluate(
        f"chosen = bpy.context.scene.hffne; chosen.source = 'FILE'; chosen.photo = {str(test.photos['one'])!r}\n"
        "bpy.ops.hffne.generate(photo=chosen.photo, base='HEAD', lod='GAME', texture_size='512',\n"
        "    maps={item[0] for item in part('settings').MAPS} - {'PORES'})\n"
        "bpy.data.images.load(chosen.photo).pack()\n"
        "obj = bpy.context.object; skin = obj.material_slots[0].material; bpy.ops.ed.undo_push(message='buttons')",
        timeout=400,
    )


def step_41_buttons_photo(test):
    show(test, "HFFNE_PT_face")
    press_each(test, [("hffne.source", (), CHOSEN + "source")], (0.75,))
    press_each(test, [("hffne.image", ("Down", "Return"), f"{CHOSEN}image and {CHOSEN}image.name")], (0.5,))
    named = test.blender.evaluate(f"answer = {CHOSEN}image and {CHOSEN}image.name")
    test.expect("the photo alone is offered, no texture of a face", named == test.photos["one"].name, named)
    press_each(test, [("hffne.source", (), CHOSEN + "source")], (0.25,))
    typed = ("ctrl+a", f"text:{test.photos['none']}", "Return")
    press_each(test, [("hffne.photo", typed, CHOSEN + "photo")], (0.4,))
    test.blender.until("part('photo.detected_faces').state.message", 120)


def step_42_buttons_error(test):
    """The box of an error: help, log, copy, and its X."""
    error = "bool(session().state.last_error)"
    test.blender.evaluate("session().forget_error()")
    press_each(test, [("hffne.generate", (), error)])
    test.screen.key("Escape")
    test.screen.move(200, 300)
    test.picture("60_error")
    rows = (
        ("hffne.show_help", (), TEXTS),
        ("hffne.show_log()", (), TEXTS),
        ("hffne.show_log(copy=True)", (), "bpy.context.window_manager.clipboard"),
        ("hffne.dismiss_error", (), error),
    )

    def then(name):
        test.picture("61_" + name.split(".")[1].split("(")[0])
        tidy(test)

    press_each(test, rows, (0.25, 0.7, 0.89), then)
    # The menu of the engine's line, by the letters that it underlines.
    _, y = test.blender.find("hffne.generate")
    left, _, width, _ = test.blender.evaluate("answer = rectangle(place(region='UI')['region'])")
    menu = (left + width - 46, y + BELOW_GENERATE)
    test.blender.evaluate("for text in list(bpy.data.texts):\n    bpy.data.texts.remove(text)")
    test.screen.click(*menu)
    test.picture("62_engine_menu")
    test.screen.key("Escape")
    for name, letter, expression in (
        ("hffne.show_log", "e", TEXTS),
        ("hffne.write_report", "w", TEXTS),
        ("hffne.release_engine", "r", "session().alive()"),
    ):
        press_at(test, menu, f"{name} of the menu", (letter,), expression)
        tidy(test)


def step_43_buttons_output(test):
    """The choices of the output by the wheel, each check box by a click."""
    show(test, "HFFNE_PT_face", "HFFNE_PT_result")
    test.scroll(down=True)
    names = ("base", "detail_size", "texture_size", "lod", "grid", "color", "keep_hair", "keep_glasses")
    boxes = test.blender.evaluate("answer = [part('check_boxes').box(item[0]) for item in part('settings').MAPS]")
    wheel = [(f"hffne.{name}", "wheel", CHOSEN + name) for name in names[1:4]]
    clicks = [(f"hffne.{name}", (), CHOSEN + name) for name in (*names[5:], *boxes)]
    press_each(test, [*wheel, *clicks, ("hffne.base", "wheel", CHOSEN + "base")])
    test.picture("63_output")
    press_each(test, [("hffne.grid", "wheel", CHOSEN + "grid")])
    test.blender.evaluate(f"{CHOSEN}base = 'HEAD'; {CHOSEN}lod = 'GAME'; {CHOSEN}texture_size = '512'")


def step_43_buttons_presets(test):
    """A preset of one's own, added and taken away by the list's + and -."""
    test.prepare()
    show(test, "HFFNE_PT_face", "HFFNE_PT_result")
    # The list's button is in the heading above the first row.
    _, y = test.blender.find("hffne.base")
    left, _, width, _ = test.blender.evaluate("answer = rectangle(place(region='UI')['region'])")
    x, y = left + width - 66, y - ABOVE_ROW
    test.screen.click(x, y)
    test.picture("64_presets", 2)
    test.screen.key("Escape")
    files = "sum(len(names) for _, _, names in os.walk(bpy.utils.user_resource('SCRIPTS')))"
    # The -: of "New Preset", by its name the last but one.
    for name, above, below in (("hffne.output_preset_add", -41, 139), ("hffne.output_preset_add's -", -100, 102)):
        press_at(test, (x, y), name, (f"click:{PLUS},{down_the_list(y, above, below)}",), files)
        test.screen.key("Escape")
        test.screen.move(200, 300)
    test.expect("the preset added and taken away", test.blender.evaluate(f"answer = {files}") == 0)


def step_44_buttons_detail(test):
    test.choose_face()
    show(test, "HFFNE_PT_detail")
    sliders = test.blender.evaluate(
        "nodes = part('scene.detail_nodes'), part('scene.skin_nodes')\n"
        "answer = [part('sliders').key(name) for module in nodes for name, *_ in module.SLIDERS\n"
        "          if not module.unavailable_reason(skin, name)]"
    )
    rows = [("Photo Expression", "wheel", "obj.data.shape_keys.key_blocks['Photo Expression'].value")]
    rows += [(f"hffne_sliders.{name}", "wheel", f"skin.hffne_sliders.{name}") for name in sliders]
    press_each(test, rows, (0.6,))
    displaced = "part('scene.material').is_displaced(obj)"
    press_each(test, [("set_detail(relief='DISPLACEMENT'", (), displaced)], (0.3, 0.8))
    test.picture("65_displaced")
    press_each(test, [("set_detail(relief='NORMAL'", (), displaced)], (0.3,))
    test.blender.evaluate("bpy.ops.hffne.set_detail(strength=1, fine=1, medium=1, coarse=1, smoothing=0, clay=0)")
    test.scroll(down=True)
    rows = [
        ("hffne.mark_as_asset", (), "bool(obj.asset_data)"),
        ("hffne.bake", ("heading", "Return"), "'hffne_made_bake_tangent' in obj"),
    ]
    press_each(test, rows, (0.5,))
    for name in ("hffne.export_character", "hffne.export_maps"):
        folder = test.out / name
        folder.mkdir(exist_ok=True)
        press_each(test, [(name, (), BROWSER)], (0.5,))
        test.blender.evaluate(f"browser()['area'].spaces.active.params.directory = {str(folder).encode()!r}")
        test.picture(f"66_{name}", 3)
        test.blender.evaluate("bpy.app.timers.register(accept, first_interval=0)")
        written = f"len(os.listdir({str(folder)!r})) > 4"
        test.blender.until(written, 120)
        test.record(f"files of {name}", sorted(path.name for path in folder.iterdir()))
        tidy(test)


def step_45_buttons_look(test):
    test.choose_face()
    show(test, "HFFNE_PT_look")
    camera = "bpy.context.scene.camera and bpy.context.scene.camera.name"
    x, y = test.blender.find("hffne.add_turntable")
    lights = "sorted(obj.name for obj in bpy.data.objects if obj.type == 'LIGHT')"
    press_at(test, (x, y - ABOVE_TURNTABLE), "hffne.add_lights", ("b",), lights)
    test.picture("67_lights")
    test.choose_face()
    press_each(test, [("hffne.add_turntable", (), camera)], (0.5,))
    test.choose_face()
    press_each(test, [("hffne.render_turntable", (), BROWSER)], (0.9,))
    test.picture("68_render_turntable")
    tidy(test)
    press_each(test, [("hffne.relight_photo", (), "len(bpy.data.objects)")], (0.5,))
    # The panel has the card's sliders now.
    names = test.blender.evaluate(
        "relit = next(material for material in bpy.data.materials if material.name.endswith(' Relit'))\n"
        "answer = [part('sliders').key(name) for name, *_ in part('studio.relight').SLIDERS]"
    )
    press_each(test, [(f"hffne_relight.{name}", "wheel", f"relit.hffne_relight.{name}") for name in names], (0.6,))
    test.picture("69_relit")
    seen = "place()['area'].spaces.active.region_3d.view_perspective"
    press_each(test, [("hffne.view_photo", (), seen)], (0.5,))
    test.picture("70_photo_camera", 3)
    press_each(test, [("hffne.restore_scene", (), camera)], (0.5,))


def step_46_buttons_queue(test):
    """A folder of three photos, one without a face: removed, built, tried again, cleared."""
    folder = test.copies("mixed", ("a", "c"))
    (folder / "b.png").write_bytes(test.photos["none"].read_bytes())
    files = test.out / "queue files"
    files.mkdir(exist_ok=True)
    show(test, "HFFNE_PT_face", "HFFNE_PT_batch")
    test.blender.evaluate(f"{QUEUE}items.clear()")
    test.scroll(down=True)
    press_each(test, [("hffne.batch_add", (), BROWSER)], (0.9,))
    test.blender.evaluate(f"browser()['area'].spaces.active.params.directory = {str(folder).encode()!r}")
    time.sleep(3)
    test.blender.evaluate("with bpy.context.temp_override(**browser()):\n    bpy.ops.file.select_all(action='SELECT')")
    test.blender.evaluate("bpy.app.timers.register(accept, first_interval=0)")
    states = f"[item.state for item in {QUEUE}items]"
    test.blender.until(f"{states} == ['WAITING'] * 3", 20)
    time.sleep(1)
    test.scroll(down=True)
    test.blender.evaluate(f"{QUEUE}active = 2")
    press_each(test, [("batch_edit(action='REMOVE')", (), states)], (0.9,))
    press_each(test, [("hffne_batch.files_only", (), QUEUE + "files_only")], (0.4,))
    test.scroll(down=True)
    typed = ("ctrl+a", f"text:{files}", "Return")
    press_each(test, [("hffne_batch.folder", typed, QUEUE + "folder")], (0.4,))
    press_each(test, [("hffne.batch_run", (), states)], (0.4,))
    ended = test.blender.evaluate(f"answer = {states}")
    test.expect("the queue with a photo without a face", ended == ["DONE", "FAILED"], ended)
    test.record("files of the queue", sorted(path.name for path in files.iterdir()))
    test.screen.move(200, 300)
    test.picture("71_queue")
    test.scroll(down=True)
    (folder / "b.png").write_bytes(test.photos["one"].read_bytes())
    press_each(test, [("retry=True)", (), states)], (0.3, 0.75))
    test.blender.until(f"{states} == ['DONE', 'DONE']", 120)
    test.blender.evaluate(f"{QUEUE}items[1].state = 'FAILED'")
    press_each(
        test, [("batch_edit(action='RETRY')", (), states), ("batch_edit(action='CLEAR_DONE')", (), states)], (0.9,)
    )
    test.blender.evaluate(f"{QUEUE}items.clear(); {QUEUE}files_only = False")


def step_47_buttons_character(test):
    """A copy of the head's mesh without anything of the face: landmarks, another face, the slider, export."""
    test.choose_face()
    test.blender.evaluate(
        f"bpy.ops.hffne.generate(photo={str(test.photos['one'])!r}, base='HEAD', lod='GAME', texture_size='512')\n"
        "head = obj.copy(); head.data = obj.data.copy(); head.name = 'Head'; head.data.materials.clear()\n"
        "for block in (head, head.data):\n"
        "    for key in list(block.keys()):\n"
        "        del block[key]\n"
        "head.asset_clear(); bpy.context.collection.objects.link(head); head.location.y += 0.5",
        timeout=300,
    )
    test.choose_face("head")
    show(test, "HFFNE_PT_face", "HFFNE_PT_character")
    test.scroll(down=True)
    chosen = f"{CHOSEN}applied_face and {CHOSEN}applied_face.name"
    press_each(test, [("hffne.applied_face", ("Down", "Return"), chosen)])
    test.picture("72_character")
    marks = "sum('hffne_landmark' in obj for obj in bpy.data.objects)"
    press_each(test, [("hffne.place_landmarks", (), marks)], (0.4,))
    test.expect("landmarks by the button", test.blender.evaluate(f"answer = {marks}") > 4)
    test.blender.evaluate(
        "bpy.ops.hffne.apply_to_mesh(face=obj.name, target='Head', shape=True, texture_size='512')", timeout=300
    )
    test.choose_face("head")
    test.scroll(down=True)
    value = "head.data.shape_keys.key_blocks['Face Shape'].value"
    press_each(test, [("Face Shape", "wheel", value), ("hffne.export_maps", (), BROWSER)])
    test.picture("73_shape")
    tidy(test)
    test.blender.evaluate("bpy.data.objects.remove(head)")


def step_48_buttons_fit(test):
    test.choose_face()
    show(test, "HFFNE_PT_pins")
    on = "with bpy.context.temp_override(**place()): answer = part('pins.editing').is_on(bpy.context)"
    seen = "place()['area'].spaces.active.region_3d.view_perspective"
    press_each(test, [("hffne.edit_pins", (), seen)])
    test.blender.until("part('pins.overlay')._state.photos", 240)
    test.expect("Correct the Fit by its button", test.blender.evaluate(on))
    press_each(
        test, [("hffne.mirror_pins", (), CHOSEN + "mirror_pins"), ("hffne.pin_photo", "wheel", CHOSEN + "pin_photo")]
    )
    face = "part('pins.pinned_face').PinnedFace(obj)"
    test.blender.evaluate(
        f"face = {face}; x, y = face.pixels(face.landmarks(part('scene.built_shape').points(obj)))[8]\n"
        "bpy.ops.hffne.move_pin(face=obj.name, start=(x, y), to=(x, y + 8), reach=1.0, project=False)",
        timeout=60,
    )
    time.sleep(1)
    projected = "part('pins.stored').is_projected(obj)"
    press_each(
        test,
        [
            ("hffne.project_maps", (), projected),
            ("hffne.edit_pins", (), seen),
        ],
    )
    test.picture("74_fit", 3)
    test.expect("Done by its button", not test.blender.evaluate(on))


def step_49_buttons_mask(test):
    """A mask becomes a head."""
    test.blender.evaluate(
        f"bpy.ops.hffne.generate(photo={str(test.photos['one'])!r}, base='MASK', texture_size='512', maps=set())",
        timeout=300,
    )
    show(test, "HFFNE_PT_detail")
    test.scroll(down=True)
    press_each(test, [("hffne.make_head", (), "len(bpy.data.objects)")])
    test.picture("75_made_head", 3)
