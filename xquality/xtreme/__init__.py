"""XTREME's own evaluation: score a folder of predictions, write one, and compare a run with published scores."""

from xquality.xtreme.layout import file_name, official_names
from xquality.xtreme.published import PUBLISHED, PublishedScores, comparison_table
from xquality.xtreme.score import score_file, score_folder
from xquality.xtreme.writing import write_labels, write_submission

__all__ = [
    "PUBLISHED",
    "PublishedScores",
    "comparison_table",
    "file_name",
    "official_names",
    "score_file",
    "score_folder",
    "write_labels",
    "write_submission",
]
