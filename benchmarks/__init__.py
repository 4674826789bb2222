"""Benchmarks of the paths whose cost grows with a company's traffic. Run from a checkout; nothing imports them."""
