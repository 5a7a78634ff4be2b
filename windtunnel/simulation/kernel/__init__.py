"""The compiled twin of the discrete-event core: the same numbers, the same bits, many times as fast (extra `fast`)."""
