"""Reports: one self-contained page from a study folder, and its tables and figures on their own."""

from xquality.report.arms import Arm
from xquality.report.page import write_report
from xquality.report.summary import Summary, summarise

__all__ = ["Arm", "Summary", "summarise", "write_report"]
