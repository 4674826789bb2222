from tests.sampler.conftest import library, node

__all__ = ["library", "node"]
