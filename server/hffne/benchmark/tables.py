# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of `hffne bench` as Markdown tables, and a page that holds them."""

from pathlib import Path
from typing import Any

from hffne.benchmark.timing import summarize
from hffne.errors import HffneError

# The tables stand between these marks in a page.
MARKS = "<!-- figures -->", "<!-- end of figures -->"


def stage_table(data: dict[str, Any]) -> str:
    """The stages of one photo, the start-up times and the memory, from the data that `hffne bench` writes as JSON."""
    width, height = data["photo_size"]
    lines = [
        f"hffne {data['version']}, model {data['model']}, {data['device']}, {data['cores']} cores; photo "
        f"{width} x {height}, crop {data['crop']}, textures {data['texture_size']}; {data['runs']} warm runs",
        "",
        "| stage | median ms | from - to | processor ms | share |",
        "|---|---|---|---|---|",
    ]
    whole = data["milliseconds"]["all"]["cpu"]
    for name, t in data["milliseconds"].items():
        title = {"normals": "**normals (load to band_merge)**", "all": "**all**"}.get(name, name)
        share = t["cpu"] / whole if whole else 0.0
        lines.append(
            f"| {title} | {t['median']:.0f} | {t['low']:.0f} - {t['high']:.0f} | {t['cpu']:.0f} | {share:.0%} |"
        )
    lines += ["", "| | |", "|---|---|", f"| models loaded, with torch | {data['models_loaded_seconds']:.1f} s |"]
    if data["engine_ready_seconds"] is not None:
        lines.append(f"| engine ready after its start | {data['engine_ready_seconds']:.1f} s |")
    for name, words in (("normals", "photos to normals"), ("all", "photos to faces")):
        lines.append(f"| {words}, one after the other | {60_000 / data['milliseconds'][name]['median']:.0f} a minute |")
    memory = data["peak_memory_mb"]
    lines.append(f"| peak memory of this process | {'not known' if memory is None else f'{memory:.0f} MB'} |")
    return "\n".join(lines)


def comparison_table(against: dict[str, Any]) -> str:
    """The compact and the published networks: `summarize` of each by name, and "times_faster" of `ratio_of_pairs`."""
    lines = ["| coarse and fine network, one 256 x 256 face | median ms | from - to |", "|---|---|---|"]
    for name in ("compact", "paper"):
        t = against[name]
        lines.append(f"| {name} | {t['median']:.0f} | {t['low']:.0f} - {t['high']:.0f} |")
    ratio, low, high = (against["times_faster"][key] for key in ("ratio", "low", "high"))
    return "\n".join([*lines, f"| **compact is faster by** | **{ratio:.1f} x** | {low:.1f} - {high:.1f} (95 %) |"])


def change_table(data: dict[str, Any], before: dict[str, Any]) -> str:
    """The stages of two runs of `hffne bench` beside one another. Other machines and loads make other times: where
    both ran at different times, compare the processor's."""
    lines = [
        "| stage | processor ms before | now | ratio | ratio by the clock |",
        "|---|---|---|---|---|",
    ]
    old = before.get("milliseconds", {})
    for name, t in data["milliseconds"].items():
        if name in old and old[name].get("cpu") and old[name]["median"]:
            cpu, wall = t["cpu"] / old[name]["cpu"], t["median"] / old[name]["median"]
            lines.append(f"| {name} | {old[name]['cpu']:.0f} | {t['cpu']:.0f} | {cpu:.2f} | {wall:.2f} |")
    return "\n".join(lines)


def blender_table(sizes: dict[str, Any]) -> str:
    """The JSON of `hffne_blender.commands.profile_main_thread`: figures by texture size."""
    lines = [
        "| textures | photo to object, warm | longest stall, wall (processor) | conversion, wall (processor) | "
        "Blender's bake, processor | faster by | apart |",
        "|---|---|---|---|---|---|---|",
    ]
    for size, figures in sizes.items():
        seconds = summarize([run["all_s"] for run in figures["runs"]])["median"]
        wall, cpu = (
            max(run[stage][key] for run in figures["runs"] for stage in ("waiting", "building"))
            for key in ("longest_ms", "longest_cpu_ms")
        )
        conversion = figures["conversion"]
        lines.append(
            f"| {size} | {seconds:.1f} s | {wall:.0f} ({cpu:.0f}) ms | {conversion['median_s']:.2f} "
            f"({conversion['cpu_s']:.2f}) s | {conversion['bake_cpu_s']:.1f} s | {conversion['times_faster']:.0f} x | "
            f"{conversion['mean_degrees']:.3f} degrees |"
        )
    return "\n".join(lines)


def update_page(path: Path, text: str) -> None:
    """Replace the text between the marks of a page. Raises HffneError when it has none, OutputError."""
    from hffne.output import output_folder, write_files

    page = path.read_text("utf-8") if path.is_file() else f"{MARKS[0]}\n{MARKS[1]}\n"
    before, start, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not start or not end:
        raise HffneError(
            f"{path} has no marks for the figures.", hint=f"Put {MARKS[0]} and {MARKS[1]} where they belong."
        )
    updated = f"{before}{start}\n{text}\n{end}{after}".encode()
    with output_folder(path.parent):
        write_files({path: lambda file: file.write(updated)})
