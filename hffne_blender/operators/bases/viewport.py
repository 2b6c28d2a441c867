# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3D viewports: what they look at, and how they are shaded. Solid shows neither normal maps nor lights."""

import math
from collections.abc import Iterator

import bpy
from mathutils import Vector

from ...studio import lights, scene_settings
from ...system.required import required


def shows_detail(view: bpy.types.SpaceView3D, scene_lights: bool = False) -> bool:
    """Whether a viewport shows materials; scene_lights: in the light of the scene, not of a preview."""
    shading = required(view.shading)
    lit = shading.type == "RENDERED" or (shading.type == "MATERIAL" and shading.use_scene_lights)
    return lit or (shading.type == "MATERIAL" and not scene_lights)


def show_detail(view: bpy.types.SpaceView3D, scene_lights: bool = False) -> None:
    """Switch a viewport to Material Preview unless it shows materials; scene_lights: in the light of the scene."""
    shading = required(view.shading)
    if shading.type != "RENDERED":
        shading.type = "MATERIAL"
        shading.use_scene_lights = shading.use_scene_world = scene_lights


# The direction from which a new face is shown, degrees to the viewer's right and degrees up from its axis, and the
# angle in degrees to the axis from which a view is turned there.
SHOWN_FROM, TURNED_FROM = (20, 5), 40


def show_face(context: bpy.types.Context, obj: bpy.types.Object) -> None:
    """Move the viewports' views to a selected face, and before it; a view through a camera stays."""
    toward = obj.matrix_world.to_quaternion() @ lights.direction(*SHOWN_FROM)
    axis = obj.matrix_world.to_quaternion() @ lights.direction(0, 0)
    for window, area, region, space in _viewports(context):
        view = required(space.region_3d)
        if view.view_perspective == "CAMERA":
            continue
        if (view.view_rotation @ Vector((0, 0, 1))).angle(axis) > math.radians(TURNED_FROM):
            view.view_rotation = toward.to_track_quat("Z", "Y")
            if view.view_perspective == "ORTHO" and view.is_orthographic_side_view:
                view.view_perspective = "PERSP"
        with context.temp_override(window=window, area=area, region=region):
            bpy.ops.view3d.view_selected()


def look_through_camera(context: bpy.types.Context, view: bpy.types.SpaceView3D) -> None:
    """Look through the scene's camera, one of ours, from whose view `leave_camera` leads back."""
    if required(view.region_3d).view_perspective != "CAMERA":
        scene_settings.set_entered(required(context.scene))
        _switch_camera_view(context, view)


def leave_camera(context: bpy.types.Context, view: bpy.types.SpaceView3D) -> None:
    """Go back from a camera's view to the one before."""
    if required(view.region_3d).view_perspective == "CAMERA":
        _switch_camera_view(context, view)


def leave_cameras(context: bpy.types.Context) -> None:
    """`leave_camera` in all windows."""
    for view in [space for *_, space in _viewports(context) if not space.use_local_camera]:
        leave_camera(context, view)


def _switch_camera_view(context: bpy.types.Context, view: bpy.types.SpaceView3D) -> None:
    """By Blender's own operator, which keeps the view before; setting `view_perspective` would forget it."""
    for window, area, region, space in _viewports(context):
        if space == view:
            with context.temp_override(window=window, area=area, region=region):
                bpy.ops.view3d.view_camera()


def _viewports(
    context: bpy.types.Context,
) -> Iterator[tuple[bpy.types.Window, bpy.types.Area, bpy.types.Region, bpy.types.SpaceView3D]]:
    """The 3D viewports that are seen now."""
    for window in required(context.window_manager).windows:
        for area in required(window.screen).areas:
            space = area.spaces.active
            if isinstance(space, bpy.types.SpaceView3D) and space.region_3d is not None:
                yield window, area, next(region for region in area.regions if region.type == "WINDOW"), space


def area_of(context: bpy.types.Context, view: bpy.types.SpaceView3D) -> bpy.types.Area | None:
    """The area of the context's window in which a 3D viewport is."""
    areas = required(context.window.screen).areas if context.window is not None else ()
    return next((area for area in areas if area.spaces.active == view), None)


def is_over_view(area: bpy.types.Area | None, event: bpy.types.Event) -> bool:
    """Whether the mouse is over an area's main region, and not over a sidebar or header that lies on it."""
    over = {
        region.type
        for region in (area.regions if area is not None else ())
        if 0 <= event.mouse_x - region.x < region.width and 0 <= event.mouse_y - region.y < region.height
    }
    return "WINDOW" in over and not over & {"UI", "TOOLS", "HEADER", "TOOL_HEADER", "HUD"}


def viewport_of(context: bpy.types.Context) -> bpy.types.SpaceView3D | None:
    """The 3D viewport in which an operator was started, or else the largest of its window; None without one."""
    if isinstance(context.space_data, bpy.types.SpaceView3D):
        return context.space_data
    areas = required(context.window.screen).areas if context.window is not None else ()
    views = [area for area in areas if area.type == "VIEW_3D"]
    space = max(views, key=lambda area: area.width * area.height).spaces.active if views else None
    return space if isinstance(space, bpy.types.SpaceView3D) else None
