"""The models that plays have asked, kept by their hash: a restart and `verify` find again what ran then."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock

from engine.domain.errors import CheckpointError, ConfigError, StorageError
from engine.models.checkpoint import MANIFEST, WEIGHTS, Checkpoint, read_checkpoint
from engine.models.network import Network
from engine.storage.atomic import TEMPORARY_SUFFIX, make_directory, write_whole

FOLDER = "models"  # beside the records of the same mode
AT_HAND_MAX = 8
BYTES_MAX = 1_000_000_000  # on disk; the oldest go first


class ModelStore:
    """Holds models in memory, and on disk where it has a directory.

    In memory stay the newest AT_HAND_MAX where the others are on disk, else all. A model that a play asks is
    kept alive by that play's evaluator. Threads may `put` while the engine's loop asks.
    """

    def __init__(self, directory: Path | None = None, *, bytes_max: int = BYTES_MAX) -> None:
        self._directory, self._bytes_max = directory, bytes_max
        self._lock = Lock()
        self._at_hand: OrderedDict[str, Network] = OrderedDict()

    def put(self, checkpoint: Checkpoint) -> None:
        """Keep a model, on disk before in memory. Raises StorageError."""
        identity = checkpoint.identity
        if self._directory is not None:
            self._keep(self._directory, identity, checkpoint)
        self._take(identity, checkpoint.network)

    def model(self, sha256: str) -> Network:
        """Return a model, read from disk where it is not at hand. Raises CheckpointError."""
        with self._lock:
            found = self._at_hand.get(sha256)
        if found is None:
            found = self._read(sha256)
            self._take(sha256, found)
        return found

    def _take(self, identity: str, network: Network) -> None:
        with self._lock:
            self._at_hand[identity] = network
            self._at_hand.move_to_end(identity)
            while self._directory is not None and len(self._at_hand) > AT_HAND_MAX:
                self._at_hand.popitem(last=False)

    def _read(self, sha256: str) -> Network:
        if self._directory is None:
            raise CheckpointError(f"the model {sha256[:12]} is not at hand")
        path = self._directory / f"{sha256}{WEIGHTS}"
        try:
            checkpoint = read_checkpoint(path)
        except ConfigError as error:
            raise CheckpointError(f"the model {sha256[:12]} that ran then cannot be read: {error}") from None
        if checkpoint.identity != sha256:
            raise CheckpointError(f"{path}: this is another model than its name says")
        return checkpoint.network

    def _keep(self, directory: Path, identity: str, checkpoint: Checkpoint) -> None:
        """Write both files, the manifest last: it says that the weights are whole."""
        weights, manifest = directory / f"{identity}{WEIGHTS}", directory / f"{identity}{MANIFEST}"
        try:
            if manifest.exists() and weights.exists():
                manifest.touch()
                weights.touch()
                return
            make_directory(directory)
            write_whole(weights, checkpoint.weights_file)
            write_whole(manifest, checkpoint.manifest_file)
            self._make_room(directory, identity)
        except OSError as error:
            raise StorageError(f"{weights}: the model cannot be kept: {error.strerror or error}") from None

    def _make_room(self, directory: Path, newest: str) -> None:
        """Remove the models that were used longest ago; those at hand stay."""
        with self._lock:
            needed = {newest, *self._at_hand}
        files = [(path, path.stat()) for path in directory.iterdir() if path.suffix != TEMPORARY_SUFFIX]
        size = sum(facts.st_size for _, facts in files)
        for path, facts in sorted(files, key=lambda item: (item[1].st_mtime_ns, item[0].name)):
            if size <= self._bytes_max:
                return
            if path.stem not in needed:
                path.unlink(missing_ok=True)
                size -= facts.st_size


def models_of(record: Path) -> ModelStore:
    """Return the models that the session asked whose record lies in a directory."""
    return ModelStore(record.absolute().parent.parent / FOLDER)
