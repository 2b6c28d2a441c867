# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators share that ask the engine and show what it made."""

import os

import bpy

from .. import batch, preferences
from ..character.errors import TransferError
from ..engine import session
from ..scene import face_attributes

# Seconds between two slices of an operator that advances.
TICK = 0.05


def engine_python_property():
    return bpy.props.StringProperty(
        name="Engine Python",
        description="Use this engine instead of the one in the preferences",
        subtype="FILE_PATH",
        options={"HIDDEN", "SKIP_SAVE"},
    )


def device_property():
    return bpy.props.StringProperty(
        name="Device",
        description="Use this device instead of the one in the preferences",
        options={"HIDDEN", "SKIP_SAVE"},
    )


def in_background_property():
    return bpy.props.BoolProperty(
        name="In Background",
        description="Return at once and work beside the user, where there is a window",
        options={"HIDDEN", "SKIP_SAVE"},
    )


def poll(cls, context):
    if session.running():
        cls.poll_message_set("A face is being generated")
        return False
    return object_mode(cls, context)


def object_mode(cls, context):
    if context.mode != "OBJECT":
        cls.poll_message_set("Switch to Object Mode first")
        return False
    return True


def face_for(context, target):
    """The face that is meant beside a target: the one chosen in the panel, else the selected one, else the latest made.

    Never the target itself.
    """
    faces = faces_in(context, target)
    wanted = [context.scene.hffne.applied_face, *context.selected_objects, *faces[:1]]
    return next((obj for obj in wanted if obj in faces), None)


def faces_in(context, target=None):
    """The face objects of the scene but the target, the latest made first (Blender counts what it makes)."""
    faces = [obj for obj in context.scene.objects if obj != target and face_attributes.is_face(obj)]
    return sorted(faces, key=lambda obj: obj.session_uid, reverse=True)


def face_names(operator, context, text):
    """For the search of a property that names a face."""
    return [obj.name for obj in faces_in(context, context.object)]


def start(context, operator, request, aside=False):
    """Send a request and return its Task; raises EngineError when there is no engine. `aside`: see `session`."""
    chosen = preferences.get(context)
    device = operator.device or ("" if chosen.device == "auto" else chosen.device)
    idle = chosen.idle_minutes * 60 if chosen.idle_minutes else None
    python = preferences.find_python(context, operator.engine_python)
    model = "" if chosen.model == "compact" else chosen.model
    send = session.request if aside else session.start
    return send(python, device, idle, not bpy.app.background, request, model)


def has_window(context):
    return not bpy.app.background and context.window is not None


def run_again(operator, context, options):
    """Begin the operator anew, in the background: what F9 and Shift R do with one that has ended, or a file browser.

    For F9 Blender has undone the first run and expects this one to be done on return; when it is not, it brings the
    first one's result back. So it gets that; when it has finished, the result goes for good and the new run begins.
    """
    edited = operator.options.is_repeat
    verb = operator.bl_idname.split("_OT_")[-1]
    window = context.window

    def begin():
        windows = list(bpy.context.window_manager.windows)
        if session.running() or not windows:
            return
        # The file browser's own window is gone by now.
        with bpy.context.temp_override(window=window if window in windows else windows[0]):
            if edited:
                bpy.ops.ed.undo()
            getattr(bpy.ops.hffne, verb)("EXEC_DEFAULT", True, **{**options, "in_background": True})

    bpy.app.timers.register(begin, first_interval=0)
    return {"CANCELLED"}


def fail(operator, error):
    """Tell an error (a dict, or an exception with `as_dict`) and return the operator's state."""
    error = error if isinstance(error, dict) else error.as_dict()
    session.fail(error)
    operator.report({"ERROR"}, words(error))
    return {"CANCELLED"}


def fail_asset(operator, error):
    """The same for an ReceivedFaceError."""
    hint = "Install the engine and the extension in the same version."
    return fail(operator, TransferError("bad_asset", str(error), hint))


def words(error):
    return " ".join(part for part in (error["message"], error["hint"]) if part)


def show(operator, context, obj, notices):
    """Put a new face at the cursor, or beside a face that stands there, and tell what the engine noticed.

    It becomes the one selected object, unless the user has gone on with something else while it was made.
    """
    obj.location = _free_place(context, obj)
    # An excluded or hidden collection leaves the object out of the view layer.
    if _undisturbed(operator, context) and obj.name in context.view_layer.objects:
        for other in context.selected_objects:
            other.select_set(False)
        obj.select_set(True)
        context.view_layer.objects.active = obj
    for notice in notices:
        operator.report({"WARNING"}, notice)


def _free_place(context, obj):
    # What was made a moment ago does not know its place yet.
    context.view_layer.update()
    faces = [other for other in context.scene.objects if other != obj and face_attributes.is_face(other)]
    place = context.scene.cursor.location.copy()
    while any((other.matrix_world.translation - place).length < batch.SPACING / 2 for other in faces):
        place.x += batch.SPACING
    return place


def _undisturbed(operator, context):
    before = getattr(operator, "work_before", None)
    return context.mode == "OBJECT" and before in (None, users_work(context))


def users_work(context):
    """What the user has before them: another scene, object or selection means that they went on with something else."""
    active = context.view_layer.objects.active
    return context.scene.name, active and active.name, {obj.name for obj in context.selected_objects}


def place(context):
    """Where a face goes that was built beside the user's own work, whose mode stays as it is."""
    return context.collection


def redraw(context):
    """Draw the panels anew."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


class IntoFolder:
    """An operator that writes into its `directory`: asks for the folder where none was given."""

    def invoke(self, context, event):
        if self.properties.is_property_set("directory") or bpy.app.background:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def folder(self):
        """Its path, or None and the operator has said why."""
        folder = bpy.path.abspath(self.directory)
        if folder and os.path.isdir(folder):
            return folder
        self.report({"ERROR"}, f"There is no folder '{folder}'. Choose one that exists.")
        return None


class OnTimer:
    """A modal operator that is called every so many seconds, and says in the status bar how far it is."""

    # See `users_work`: as it was when the timer was started.
    work_before = None
    _timer = None
    _workspace = None
    _said = None

    def start_timer(self, context, seconds):
        self.work_before = users_work(context)
        self._timer = context.window_manager.event_timer_add(seconds, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def stop_timer(self, context):
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        self._say(None)

    def say_progress(self, context):
        """Tell the running task in the status bar, where it stays until the timer stops."""
        self.say(
            context,
            f"{session.state.task.message or 'Starting the engine'} ({session.state.task.progress:.0%})    Esc: Cancel",
        )

    def say(self, context, text):
        """Say it in the status bar, where it stays until the timer stops."""
        if self._workspace is None:
            # The text belongs to a workspace, and the user may go on to another one.
            self._workspace = context.workspace
        self._say(text)

    def _say(self, text):
        if self._workspace is None or text == self._said:
            return
        self._said = text
        try:
            self._workspace.status_text_set(text)
        except ReferenceError:
            pass  # another file was opened
        if text is None:
            self._workspace = None


class Advancing(OnTimer):
    """One that does its work slice by slice, tick by tick, and is given up by Esc. `session.state.task` tells how far it is."""

    def advance(self, context):
        """A tick's worth of work, which never waits; the operator's state at the end, else None."""
        raise NotImplementedError

    def start_advancing(self, context):
        """Go on tick by tick; the operator's state."""
        self.say_progress(context)
        redraw(context)
        return self.start_timer(context, TICK)

    def end(self, context):
        """However it ended."""
        self.stop_timer(context)
        redraw(context)

    def modal(self, context, event):
        if event.type == "ESC" and event.value == "PRESS":
            session.cancel()
        elif event.type != "TIMER":
            return {"PASS_THROUGH"}
        before = (session.state.task.progress, session.state.task.message)
        try:
            result = self.advance(context)
        except BaseException:
            self.end(context)
            raise
        if result is not None:
            self.end(context)
        elif before != (session.state.task.progress, session.state.task.message):
            self.say_progress(context)
            redraw(context)
        return result or {"PASS_THROUGH"}

    def cancel(self, context):
        # Blender closes the window or loads another file meanwhile.
        session.cancel()
        self.end(context)
