"""PAWS-X: paraphrase identification in seven languages.

Each language has a training split on the Hub: English is PAWS, the others are its machine translation, so that
`pawsx.load("ja", "train")` is an intermediate task in Japanese. Validation and test rows are parallel.

Some translated rows hold the placeholder `NS` instead of a sentence, and a few labels differ between languages; both
are so in the official files.

Licence: free for any purpose, with attribution. The Hub's data are the official ones.
"""

from xquality.data.source import HubSource
from xquality.heads import SequenceHead
from xquality.tasks.base import Task

pawsx = Task(
    name="pawsx",
    languages=("de", "en", "es", "fr", "ja", "ko", "zh"),
    source_language="en",
    source=HubSource(
        "google-research-datasets/paws-x", "4cd8187c404bda33cb1f62b49b001115862acf37", "paws-x/{language}"
    ),
    head=SequenceHead(columns=("sentence1", "sentence2"), labels=("0", "1")),
    citation="Yang et al. 2019, PAWS-X: A Cross-lingual Adversarial Dataset for Paraphrase Identification (EMNLP)",
)
