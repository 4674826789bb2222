"""Series of GPU metrics, as clouds' monitoring services tell them, put together into rows of `gpu_samples`.

Such a service answers metric by metric, each with minutes of its own; a sample is what all metrics say of one GPU at
one instant. Here belongs: putting together, bounds, units, the Arrow table. Here does not belong: a cloud's names and
how it is asked (each cloud's folder), lines of exporters (`connectors.prometheus`).
"""

from connectors.gpu_series.gathering import Samples
from connectors.gpu_series.series import Gpu, Metric, Place, Series, index_of, percent, ratio

__all__ = ["Gpu", "Metric", "Place", "Samples", "Series", "index_of", "percent", "ratio"]
