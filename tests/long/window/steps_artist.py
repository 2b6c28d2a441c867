# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps about the output's presets and check boxes, the turntable, another unit and the file browser's pictures."""

import time

from clicking import ABOVE_ROW, down_the_list, show
from steps_face import OVER_VIEW

# Seconds for Blender's thumbnails of a few photos. They never come where a Blender may use one processor only.
THUMBNAILS = 12


def step_18_output(test):
    """The panel of the output: a preset from its list, and a map's check box."""
    test.prepare()
    show(test, "HFFNE_PT_face", "HFFNE_PT_result")
    # The list's button is in the heading above the first row.
    _, y = test.blender.find("hffne.base")
    test.blender.evaluate("chosen = bpy.context.scene.hffne; chosen.texture_size = '1024'; chosen.lod = 'FULL'")
    left, _, width, _ = test.blender.evaluate("answer = rectangle(place(region='UI')['region'])")
    x, y = left + width - 66, y - ABOVE_ROW
    test.screen.click(x, y)
    test.picture("50_presets", 2)
    test.screen.click(x + 2, y + down_the_list(y, -141, 39))  # "Draft"
    time.sleep(1)
    test.screen.key("Escape")
    chosen = test.blender.evaluate("chosen = bpy.context.scene.hffne; answer = [chosen.texture_size, chosen.lod]")
    test.expect("the preset Draft", chosen == ["512", "GAME"], chosen)
    test.scroll(down=True)
    before = test.blender.evaluate("answer = chosen.map_roughness")
    # By all of its name: the button Generate Face has the maps among its arguments.
    test.blender.press("hffne.map_roughness")
    time.sleep(1)
    test.expect("a check box of one map", test.blender.evaluate("answer = chosen.map_roughness") != before)
    test.picture("51_output")
    show(test, "HFFNE_PT_face", "HFFNE_PT_detail")


def step_21_turntable_and_back(test):
    scene = (
        "scene = bpy.context.scene; answer = [scene.camera and scene.camera.name, scene.frame_start, scene.frame_end]"
    )
    own = test.blender.evaluate(scene)
    run = "with bpy.context.temp_override(**place()):\n    bpy.ops.hffne.{}('INVOKE_DEFAULT')"
    test.blender.evaluate(run.format("add_turntable"))
    turned = test.blender.evaluate(scene)
    test.expect("the turntable's camera and frames", turned[0] != own[0] and turned[2] == 96, turned)
    test.picture("55_turntable", 2)
    test.blender.evaluate(run.format("restore_scene"))
    back = test.blender.evaluate(scene)
    test.expect("camera and frames restored", back == own, [own, back])


def step_22_centimeters(test):
    """In a scene whose unit is a centimeter a head has the size of a head."""
    test.blender.evaluate("bpy.context.scene.unit_settings.scale_length = 0.01")
    test.scroll(down=False)
    test.blender.press("hffne.generate")
    test.blender.until("session().running()", 20)
    test.stages("56_generating")
    height = test.blender.evaluate("answer = bpy.context.object.dimensions[2]")
    test.expect("the head's height in centimeters", 20 < height < 60, height)
    test.picture("56_centimeters", 4)
    test.blender.evaluate("bpy.context.scene.unit_settings.scale_length = 1")


def step_23_thumbnails(test):
    test.prepare()
    folder = test.copies("person", ("left", "right"))
    test.scroll(down=False)
    test.click_until(test.blender.find("hffne.open_photo", columns=(0.9,)), "browser()", OVER_VIEW)
    test.blender.evaluate(f"browser()['area'].spaces.active.params.directory = {str(folder).encode()!r}")
    test.picture("57_thumbnails", THUMBNAILS)
    shown = test.blender.evaluate("answer = browser()['area'].spaces.active.params.display_type")
    test.expect("the browser shows pictures", shown == "THUMBNAIL", shown)
    test.blender.evaluate("with bpy.context.temp_override(**browser()):\n    bpy.ops.file.cancel()")
    # The steps about pins make a face of their own.
    test.blender.evaluate("for obj in list(bpy.data.objects):\n    bpy.data.objects.remove(obj)")
