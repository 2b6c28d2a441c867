# SPDX-License-Identifier: GPL-3.0-or-later
"""python exit_cleanly.py SCRIPT|-m MODULE|-c CODE [ARGUMENT...]: the same, but Blender cannot crash when Python ends.

Blender 4.2 as a module (not the application) crashes at the end of any program that ever registered a property with a
callback, its own templates among them. Its exit code would then tell nothing about the program.
"""

import atexit
import os
import runpy
import shutil
import sys
import traceback


def main():
    kind, sys.argv = sys.argv[1], sys.argv[1:]
    code = 0
    try:
        if kind in ("-m", "-c"):
            what, sys.argv = sys.argv[1], sys.argv[1:]
            if kind == "-m":
                runpy.run_module(what, run_name="__main__", alter_sys=True)
            else:
                sys.argv[0] = "-c"
                exec(what, {"__name__": "__main__"})
        else:
            sys.path[0] = os.path.dirname(os.path.abspath(kind))
            runpy.run_path(kind, run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    temporary = sys.modules["bpy"].app.tempdir if "bpy" in sys.modules else ""
    if temporary:
        shutil.rmtree(temporary, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
