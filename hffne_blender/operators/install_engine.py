# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.install_engine` and its companions: the engine's own environment, made, checked and removed."""

import threading

import bpy

from .. import preferences
from ..engine import install, session
from . import ask, text_viewer

TICK = 0.2
LOG_NAME = "HFFNE Install Log"

# Bytes of what an interrupted installation has left, or None until they are counted; by the engine's folder.
_left = {}


def running():
    return session.installing()


def left(base):
    """(is there a half installation, its bytes or None while they are being counted): thousands of files take a while."""
    if running() or not install.is_half(base):
        return False, None
    if base not in _left:
        _left[base] = None

        def count():
            _left[base] = install.size_of(base)

        threading.Thread(target=count, name="hffne-size", daemon=True).start()
    return True, _left[base]


class _Waits(ask.OnTimer):
    """From a button it is modal; from a script it returns when all is done."""

    @classmethod
    def poll(cls, context):
        if running():
            cls.poll_message_set("The engine is being installed or checked")
            return False
        return True

    def _make(self, context):
        raise NotImplementedError

    def _start(self, context):
        _left.clear()
        try:
            session.state.installation = self._make(context).start()
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return False
        except OSError as error:
            self.report({"ERROR"}, f"The extension's folder cannot be written ({error.strerror}): {error.filename}")
            return False
        return True

    def invoke(self, context, event):
        if not ask.has_window(context):
            return self.execute(context)
        if not self._start(context):
            return {"CANCELLED"}
        return self.start_timer(context, TICK)

    def modal(self, context, event):
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        _redraw(context)
        work = session.state.installation
        if not work.over:
            self.say(context, f"HFFNE: {work.message} ({work.progress:.0%})")
            return {"PASS_THROUGH"}
        self.stop_timer(context)
        return self._finish()

    def cancel(self, context):
        session.state.installation.cancel()
        self.stop_timer(context)

    def execute(self, context):
        if not self._start(context):
            return {"CANCELLED"}
        session.state.installation.wait()
        return self._finish()

    def _finish(self):
        work = session.state.installation
        if work.state == "done":
            self.report({"INFO"}, work.message)
            return {"FINISHED"}
        if work.state == "cancelled":
            self.report({"INFO"}, "Cancelled; what was downloaded is kept for the next try")
        else:
            self.report({"ERROR"}, ask.words(work.error))
        return {"CANCELLED"}


class HFFNE_OT_install_engine(_Waits, bpy.types.Operator):
    """Make the engine's own Python environment in the extension's user folder; Blender's Python is not touched"""

    bl_idname = "hffne.install_engine"
    bl_label = "Install Engine"
    bl_options = {"INTERNAL"}

    repair: bpy.props.BoolProperty(
        name="Repair", description="Make the environment anew", default=False, options={"SKIP_SAVE"}
    )
    wheels: bpy.props.StringProperty(
        name="Wheels",
        description="A folder of wheels to install from, without a network; empty takes the one in the preferences",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    build: preferences.build_property(
        description="Which PyTorch the engine computes with; Automatic takes what the preferences say",
        options={"SKIP_SAVE"},
    )

    def _make(self, context):
        base = preferences.engine_folder()
        wheel = preferences.engine_wheel()
        if not base or not wheel:
            raise ValueError("Only the extension installed from its zip can install the engine.")
        wheels = bpy.path.abspath(self.wheels or preferences.get(context).wheels_folder)
        # Since 4.2 it is for the user to say whether anything may use the network.
        if not wheels and not bpy.app.online_access:
            raise ValueError("Allow online access in the preferences (System > Network), or choose a folder of wheels.")
        build = preferences.engine_build(context) if self.build == "AUTO" else self.build.lower()
        if not install.exists(build):
            raise ValueError(
                f"There is no PyTorch for {install.BUILDS[build]} on this system. Choose another PyTorch Build."
            )
        session.close()
        return install.Install(base, wheel, wheels, self.repair, build=build)


class HFFNE_OT_check_engine(_Waits, bpy.types.Operator):
    """Examine the engine and say in words what is wrong"""

    bl_idname = "hffne.check_engine"
    bl_label = "Check"
    bl_options = {"INTERNAL"}

    def _make(self, context):
        base = preferences.engine_folder() or bpy.app.tempdir
        return install.Check(base, preferences.find_python(context))


class HFFNE_OT_remove_engine(bpy.types.Operator):
    """Delete the engine's environment and all that was downloaded for it"""

    bl_idname = "hffne.remove_engine"
    bl_label = "Remove"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context):
        return not running() and bool(preferences.engine_folder())

    def invoke(self, context, event):
        size = install.size_of(preferences.engine_folder()) / 1e9
        return context.window_manager.invoke_confirm(
            self,
            event,
            title="Remove the Engine",
            message=f"{size:.1f} GB are deleted.",
            confirm_text="Remove",
            icon="QUESTION",
        )

    def execute(self, context):
        session.close()
        _left.clear()
        try:
            install.remove(preferences.engine_folder())
        except OSError as error:
            self.report({"ERROR"}, f"Not all could be deleted: {error}")
            return {"CANCELLED"}
        self.report({"INFO"}, "The engine is removed")
        return {"FINISHED"}


class HFFNE_OT_cancel_install(bpy.types.Operator):
    """Stop; what was downloaded is kept for the next try"""

    bl_idname = "hffne.cancel_install"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context):
        return running()

    def execute(self, context):
        session.state.installation.cancel()
        return {"FINISHED"}


class HFFNE_OT_show_install_log(bpy.types.Operator):
    """Open the log of the installation in a Text Editor"""

    bl_idname = "hffne.show_install_log"
    bl_label = "Install Log"
    bl_options = {"INTERNAL"}

    copy: text_viewer.copy_property()

    @classmethod
    def description(cls, context, properties):
        return "Copy the log of the installation to the clipboard" if properties.copy else ""

    @classmethod
    def poll(cls, context):
        # Also of an installation that a Blender before this one began.
        return bool(_log())

    def execute(self, context):
        return text_viewer.show_or_copy(self, context, LOG_NAME, _log())


def _log():
    work = session.state.installation
    return work.log() if work is not None else install.last_log(preferences.engine_folder())


def stop():
    """End what runs, with Blender or with the extension."""
    if running():
        session.state.installation.cancel()
        session.state.installation.wait(5)


def _redraw(context):
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()
