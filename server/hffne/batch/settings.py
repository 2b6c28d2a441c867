# SPDX-License-Identifier: GPL-3.0-or-later
"""What is computed of each photo of a batch, and in which form it is kept."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hffne import __version__
from hffne.errors import WeightsMissingError

# Per photo: an .npz and a 16-bit picture; or tar files (WebDataset) or Parquet files with many faces each.
Form = Literal["files", "webdataset", "parquet"]
FORMS: tuple[Form, ...] = ("files", "webdataset", "parquet")
# Photos in one shard.
SHARD = 256
WEIGHTS = Path(__file__).resolve().parents[1] / "weights"


@dataclass(frozen=True)
class BatchSettings:
    """All that the results of a batch depend on.

    engine     keyword arguments of `pipeline.Engine` as plain data, but for the device
    face       "largest", "all", or a number from 0
    form       one of FORMS
    compress   whether an .npz is compressed
    shard      photos in one shard
    build      of faces that are built in Blender: further options of `blender.build` as plain data; else None
    """

    engine: dict[str, Any] = field(default_factory=dict)
    face: str | int = "largest"
    form: Form = "files"
    compress: bool = True
    shard: int = SHARD
    build: dict[str, Any] | None = None

    @property
    def sharded(self) -> bool:
        """Whether many faces share a file."""
        return self.form != "files"

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain data."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> "BatchSettings":
        """What `as_dict` gave."""
        return BatchSettings(**fields)

    def manifest(self) -> dict[str, Any]:
        """The settings with the version of the program, the hash of its networks, and the hash of all that."""
        content = {"version": __version__, "weights": self._weights_hash(), "settings": self.as_dict()}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return {**content, "hash": hashlib.sha256(text.encode()).hexdigest()}

    def _weights_hash(self) -> str:
        """SHA-256 of the networks' files. Raises WeightsMissingError where there are none."""
        folders = [WEIGHTS]
        if self.engine.get("model") == "paper":
            from hffne.weights.paper import paper_weights_folder

            folders.append(paper_weights_folder())
        if self.engine.get("weights"):
            folders.append(Path(self.engine["weights"]))
        digest = hashlib.sha256()
        paths = [path for folder in folders for path in sorted(folder.glob("*.safetensors"))]
        if self.engine.get("coarse"):
            paths.append(Path(self.engine["coarse"]))
        for path in paths:
            digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        if not paths:
            raise WeightsMissingError("The networks' weights are missing.")
        return digest.hexdigest()
