"""SQuAD v2.0: SQuAD, and as many questions again that the paragraph does not answer, in English.

Such questions have empty lists in `answers`. The test split is hidden; the validation split is scored.

Licence: CC BY-SA 4.0. The Hub's data are the official ones.
"""

import dataclasses

from xquality.data.source import HubSource
from xquality.heads import SpanHead
from xquality.tasks.squad import squad

squad_v2 = dataclasses.replace(
    squad,
    name="squad_v2",
    source=HubSource(
        "rajpurkar/squad_v2", "3ffb306f725f7d2ce8394bc1873b24868140c412", "squad_v2", configuration="squad_v2"
    ),
    head=SpanHead(unanswerable=True),
    citation="Rajpurkar et al. 2018, Know What You Don't Know: Unanswerable Questions for SQuAD (ACL)",
)
