"""PAN-X: names of people, organisations and places in forty languages (WikiANN, in the splits of Rahimi et al.).

Every language has a training split of its own on the Hub; XTREME trains on English. Rows are not parallel.

Licence: none is stated; the text is Wikipedia's (CC BY-SA). The Hub's data are the official ones: the tokens have lost
the language that precedes each of them in the raw files.
"""

from functools import partial

from xquality.heads import TokenHead
from xquality.tasks.base import Task, xtreme_bundle
from xquality.tasks.shapes import to_tagged_tokens

NER = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

panx = Task(
    name="panx",
    languages=tuple(
        "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw yo my zh kk "
        "tr et fi hu".split()
    ),
    source_language="en",
    source=xtreme_bundle("panx/{language}", "PAN-X.{language}"),
    head=TokenHead(NER),
    normalise=partial(to_tagged_tokens, tags="ner_tags", names=NER),
    citation="Pan et al. 2017, Cross-lingual Name Tagging and Linking for 282 Languages (ACL)",
)
