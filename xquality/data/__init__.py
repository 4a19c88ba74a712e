"""Datasets: row identity, provenance, digests, loading and saving, and the Arrow code they share."""
