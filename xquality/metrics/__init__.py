"""The metrics: plain functions on predictions and references, on XTREME's scale from 0 to 100."""
