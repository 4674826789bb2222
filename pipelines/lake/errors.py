"""What can go wrong in the lake itself. Messages are for people: what was found, what was expected, the remedy."""


class LakeError(Exception):
    """Something about the lake's storage, tables or lock does not hold."""


class LakeLockedError(LakeError):
    """Another run is writing, or this one has lost its right to."""


class NotPublishedError(LakeError):
    """The published snapshot was made by a version that had no such table, or not what is read of it now."""


class SchemaChangedError(LakeError):
    """A contract and the table stored under its name have grown apart in a way that cannot be bridged."""
