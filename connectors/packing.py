"""What a packed bill can be, before all of it is unpacked.

Here belongs: how far a bill shrinks. Here does not belong: reading one.
"""

_TRUSTED_BYTES = 10 * 1024 * 1024
_MAX_RATIO = 200  # bills shrink ten- to fortyfold


def needs_check(unpacked_bytes: int) -> bool:
    """Whether so much has been unpacked that it could do harm."""
    return unpacked_bytes > _TRUSTED_BYTES


def require_likely(unpacked_bytes: int, packed_bytes: int) -> None:
    """Raises EOFError where so few packed bytes unpacked into so many as no bill does."""
    if needs_check(unpacked_bytes) and unpacked_bytes > _MAX_RATIO * packed_bytes:
        raise EOFError(f"it unpacks into more than {_MAX_RATIO} times its size, which no bill does")
