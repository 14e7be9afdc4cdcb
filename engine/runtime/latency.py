"""Latency histograms: constant memory, a few hundred nanoseconds a sample.

A percentile is never too low and at most 1/32 (3 %) too high.
"""

_SUB_BITS = 5  # 32 buckets to each power of two
_SUB = 1 << _SUB_BITS
_BUCKETS = 64 * _SUB
SAMPLES_KEPT = 20_000  # a full window becomes the old one: percentiles speak of the last one or two


class Histogram:
    """Counts durations in ns by logarithmic buckets, over the present and the last window."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._old = [0] * _BUCKETS
        self._total = 0
        self._old_total = 0

    def add(self, ns: int) -> None:
        """Count one duration."""
        self._counts[_bucket(ns)] += 1
        self._total += 1
        if self._total >= SAMPLES_KEPT:
            self._old, self._counts = self._counts, [0] * _BUCKETS
            self._old_total, self._total = self._total, 0

    def percentiles_ms(self, *ratios: float) -> tuple[float, ...]:
        """Return the durations in ms that these parts of all samples do not exceed; 0 without samples.

        `ratios` ascend.
        """
        total = self._total + self._old_total
        found: list[float] = []
        seen = 0
        buckets = enumerate(zip(self._counts, self._old, strict=True))
        index = -1
        for ratio in ratios:
            while seen < ratio * total:
                index, (new, old) = next(buckets)
                seen += new + old
            found.append(_upper_ns(index) / 1e6 if total else 0.0)
        return tuple(found)


def _bucket(ns: int) -> int:
    if ns < _SUB:
        return max(ns, 0)
    shift = ns.bit_length() - _SUB_BITS - 1
    return min((shift + 1) * _SUB + (ns >> shift) - _SUB, _BUCKETS - 1)


def _upper_ns(bucket: int) -> int:
    if bucket < _SUB:
        return bucket
    shift, rest = divmod(bucket, _SUB)
    return (rest + _SUB + 1) << (shift - 1)
