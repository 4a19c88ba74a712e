"""UD POS: the part of speech of every word in thirty-three languages, from Universal Dependencies.

The Hub's rows are not the official ones: they hold the syntactic words of every sentence, where XTREME keeps written
words that are fused ("du", "dámelo") as one word with one part of speech, so that scores on them are not XTREME's in
the languages that fuse (ar, de, es, fr, he, it, pt, tr and others). For the official rows put the folder
`ud-treebanks-v2.5` of the release (lindat.mff.cuni.cz, handle 11234/1-3105) below the root: it is read first, all
treebanks of a language joined as XTREME joins them. XTREME trains on English (21,253 sentences); Kazakh, Thai, Tagalog
and Yoruba have no validation split.

Licence: per treebank, mostly CC BY-SA and CC BY-NC-SA.
"""

from functools import partial

from xquality.data.source import HubSource
from xquality.heads import TokenHead
from xquality.tasks.base import Task
from xquality.tasks.conllu import UPOS
from xquality.tasks.shapes import tokens
from xquality.tasks.treebanks import TreebankSource
from xquality.tasks.xtreme_hub import REPOSITORY, REVISION

_NAMES = (
    "af:Afrikaans ar:Arabic bg:Bulgarian de:German el:Greek en:English es:Spanish et:Estonian eu:Basque fa:Persian "
    "fi:Finnish fr:French he:Hebrew hi:Hindi hu:Hungarian id:Indonesian it:Italian ja:Japanese kk:Kazakh ko:Korean "
    "mr:Marathi nl:Dutch pt:Portuguese ru:Russian ta:Tamil te:Telugu th:Thai tl:Tagalog tr:Turkish ur:Urdu "
    "vi:Vietnamese yo:Yoruba zh:Chinese"
)
NAMES = dict(one.split(":") for one in _NAMES.split())

udpos = Task(
    name="udpos",
    languages=tuple(NAMES),
    source_language="en",
    source=TreebankSource(
        HubSource(REPOSITORY, REVISION, "udpos/{language}", configuration="udpos.{language}", spelling=NAMES)
    ),
    head=TokenHead(UPOS, tags="pos_tags", metrics=("f1", "precision", "recall", "accuracy")),
    normalise=partial(tokens, tags="pos_tags", names=UPOS),
    citation="Nivre et al. 2020, Universal Dependencies v2: An Evergrowing Multilingual Treebank Collection (LREC)",
)
