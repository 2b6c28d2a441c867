# SPDX-License-Identifier: GPL-3.0-or-later
"""What a batch has done: a manifest with the settings' hash, and a line of JSON for each photo.

TARGET/batch.json          the manifest
TARGET/records/*.jsonl     {"photo", "bytes", "faces", "files"} or {"photo", "bytes", "error"}
TARGET/report.json         counts, and every photo that failed
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hffne.batch.places import Folder, Place
from hffne.batch.settings import BatchSettings
from hffne.errors import OtherSettingsError

MANIFEST, FOLDER, REPORT = "batch.json", "records", "report.json"
# Lines of this machine's runs.
LOCAL = "local.jsonl"

Record = dict[str, Any]


def claim(target: Place, settings: BatchSettings) -> dict[str, Any]:
    """Write the manifest, or check the one that is there; returns it. Raises OtherSettingsError, OutputError."""
    manifest = settings.manifest()
    data = target.read(MANIFEST)
    if data is None:
        target.write({MANIFEST: json.dumps(manifest, indent=1).encode()})
        return manifest
    try:
        found = json.loads(data)
        same = found["hash"] == manifest["hash"]
    except (ValueError, KeyError, TypeError):
        raise OtherSettingsError("The target's batch.json is damaged.") from None
    if not same:
        raise OtherSettingsError(f"The target holds results of other settings: {_difference(found, manifest)}.")
    return manifest


def is_claimed(target: Place, hash: str) -> bool:
    """Whether the target has the manifest of the settings with this hash. Raises OutputError, StoreError."""
    try:
        return bool(json.loads(target.read(MANIFEST) or b"{}").get("hash") == hash)
    except (ValueError, AttributeError):
        return False


def read(target: Place) -> dict[str, Record]:
    """{photo: its record}. A line that a killed run left incomplete is left out; a success counts over a failure."""
    records: dict[str, Record] = {}
    for name in target.names(FOLDER):
        for line in (target.read(f"{FOLDER}/{name}") or b"").splitlines():
            try:
                record = json.loads(line)
                photo = record["photo"]
            except (ValueError, KeyError, TypeError):
                continue
            if photo not in records or "error" not in record:
                records[photo] = record
    return records


def lines(records: Iterable[Record]) -> bytes:
    """Records as they stand in a file. It begins with a line end, in case the line before it is incomplete."""
    return b"\n" + b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)


def keep(target: Place, number: int, records: Sequence[Record], alone: bool) -> None:
    """Write the records of job `number`; alone: only this process writes to the target. Raises OutputError."""
    if alone and isinstance(target, Folder):
        target.append(f"{FOLDER}/{LOCAL}", lines(records))
    else:
        target.write({f"{FOLDER}/{number:08d}.jsonl": lines(records)})


def still_to_do(
    photos: Mapping[str, int], records: Mapping[str, Record], settings: BatchSettings, retry: bool
) -> list[str]:
    """The photos that a run has to compute: without a record, or, in single files, changed in size since.

    retry: also those that failed.
    """

    def is_done(name: str) -> bool:
        record = records.get(name)
        if record is None or (retry and "error" in record):
            return False
        return settings.sharded or record.get("bytes") == photos[name]

    return [name for name in photos if not is_done(name)]


def report(photos: Mapping[str, int], records: Mapping[str, Record], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The report as plain data."""
    known = {name: records[name] for name in photos if name in records}
    failed = [record for record in known.values() if "error" in record]
    return {
        **manifest,
        "photos": len(photos),
        "done": len(known) - len(failed),
        "failed": len(failed),
        "left": len(photos) - len(known),
        "faces": sum(len(record.get("faces", ())) for record in known.values()),
        "failures": [{"photo": record["photo"], **record["error"]} for record in failed],
    }


def _difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    if found.get("version") != wanted["version"]:
        return f"version {found.get('version')}, not {wanted['version']}"
    if found.get("weights") != wanted["weights"]:
        return "other networks"
    before, now = _flat(found.get("settings", {})), _flat(wanted["settings"])
    changed = [key for key in {**now, **before} if before.get(key) != now.get(key)]
    return ", ".join(f"{key} {before.get(key, 'not given')}, now {now.get(key, 'not given')}" for key in changed)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in settings.items() if key not in ("engine", "build")}
    return {**rest, **settings.get("engine", {}), **settings.get("build", {})}
