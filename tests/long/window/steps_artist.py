# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps about the output's presets and check boxes, and the turntable."""

import time

# Pixels below the button Generate: of the heading Output, and from its list of presets' button up to "Draft".
BELOW_GENERATE, ABOVE_PRESETS = 62, 141


def step_18_output(test):
    """The panel of the output: a preset from its list, and a map's check box."""
    test.scroll(down=False)
    x, y = test.blender.find("hffne.generate")
    test.screen.click(x, y + BELOW_GENERATE)
    time.sleep(2)
    test.blender.evaluate("chosen = bpy.context.scene.hffne; chosen.texture_size = '1024'; chosen.lod = 'FULL'")
    left, _, width, _ = test.blender.evaluate("answer = rectangle(place(region='UI')['region'])")
    test.screen.click(left + width - 52, y + BELOW_GENERATE)
    test.picture("50_presets", 2)
    test.screen.click(left + width - 64, y + BELOW_GENERATE - ABOVE_PRESETS)
    time.sleep(1)
    test.screen.key("Escape")
    chosen = test.blender.evaluate("chosen = bpy.context.scene.hffne; answer = [chosen.texture_size, chosen.lod]")
    test.expect("the preset Draft", chosen == ["512", "GAME"], chosen)
    test.scroll(down=True)
    before = test.blender.evaluate("answer = chosen.map_roughness")
    test.blender.press("map_roughness")
    time.sleep(1)
    test.expect("a check box of one map", test.blender.evaluate("answer = chosen.map_roughness") != before)
    test.picture("51_output")
    test.scroll(down=False)
    test.screen.click(x, y + BELOW_GENERATE)
    time.sleep(1)


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
