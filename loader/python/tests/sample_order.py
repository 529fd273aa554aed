"""The order of samples, written again from its definition (docs/formats.md)."""

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _mix(z):
    z &= _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def _hash(*words):
    h = 0
    for word in words:
        h = _mix((h ^ (word & _MASK)) + _GOLDEN)
    return h


def sample_at(fingerprint, samples, seed, epoch, place):
    if samples == 1:
        return 0
    key = _hash(1, fingerprint, samples, seed, epoch)
    bits = max(2, (samples - 1).bit_length())
    low = bits // 2
    low_mask, high_mask = (1 << low) - 1, (1 << (bits - low)) - 1
    keys = [_mix(key + (i + 1) * _GOLDEN) for i in range(8)]
    x = place
    while True:
        left, right = x >> low, x & low_mask
        for i in range(8):
            if i % 2 == 0:
                left ^= _mix(right * _GOLDEN + keys[i]) & high_mask
            else:
                right ^= _mix(left * _GOLDEN + keys[i]) & low_mask
        x = (left << low) | right
        if x < samples:
            return x
