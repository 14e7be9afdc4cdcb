"""The cache of data files' columns as the settings want it."""

from collections.abc import Callable

from engine.config.packaged import columns_dir
from engine.config.settings import CacheSettings
from engine.domain.errors import StorageError
from engine.storage.columncache import CacheUsage, ColumnCache

_BYTES_PER_GB = 1_000_000_000


def open_cache(settings: CacheSettings, tell: Callable[[str], None] | None = None) -> ColumnCache | None:
    """Return the user's cache, None where the settings keep none; `tell` hears what is wrong with it."""
    cache = _cache(settings, tell)
    return cache if cache.bytes_max else None


def cache_usage(settings: CacheSettings, *, clear: bool = False) -> CacheUsage:
    """Say what the cache holds, or held before it is cleared now. Raises StorageError."""
    cache = _cache(settings)
    try:
        return cache.clear() if clear else cache.usage()
    except OSError as error:
        raise StorageError(f"{cache.directory} cannot be used: {error.strerror or error}") from error


def _cache(settings: CacheSettings, tell: Callable[[str], None] | None = None) -> ColumnCache:
    bytes_max = int(settings.columns_max_gb * _BYTES_PER_GB)
    return ColumnCache(columns_dir(), bytes_max, tell or _ignore)


def _ignore(_line: str) -> None:
    """Hear nothing."""
