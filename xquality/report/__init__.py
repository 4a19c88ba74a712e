"""Reports: a self-contained page from a study folder, its numbers, and its figures on axes of your own."""

from xquality.report.comparisons import Comparison
from xquality.report.figures import draw_audit, draw_curves, draw_differences, draw_heat_map, draw_panels
from xquality.report.page import write_report
from xquality.report.rates import Exchange
from xquality.report.summary import Arm, Grid, StepsTo, Summary, summarise

__all__ = [
    "Arm",
    "Comparison",
    "Exchange",
    "Grid",
    "StepsTo",
    "Summary",
    "draw_audit",
    "draw_curves",
    "draw_differences",
    "draw_heat_map",
    "draw_panels",
    "summarise",
    "write_report",
]
