"""Tatoeba: up to 1,000 sentences in each of 36 languages with their English translations, to be found again.

Nothing is trained. The languages carry the three letters of the dataset ("deu", "cmn"); `xquality.languages.identity`
gives XTREME's two. The English sentences differ from language to language, so neither scores nor rows are parallel.

Licence: CC BY 2.0 FR. The Hub's data are the official ones, with line ends that are cut off here; XTREME sorts the
English side to hide the answers, which changes no score.
"""

from xquality.heads import RetrievalHead
from xquality.tasks.base import Task, xtreme_bundle
from xquality.tasks.shapes import to_sentence_pairs

tatoeba = Task(
    name="tatoeba",
    languages=tuple(
        "ara heb vie ind jav tgl eus mal tam tel afr nld deu ell ben hin mar urd pes fra ita por spa bul rus jpn kat "
        "kor tha swh cmn kaz tur est fin hun".split()
    ),
    source_language="en",
    source=xtreme_bundle("tatoeba/{language}", "tatoeba.{language}"),
    head=RetrievalHead(),
    normalise=to_sentence_pairs,
    evaluation_split="validation",
    train_languages=(),
    citation="Artetxe and Schwenk 2019, Massively Multilingual Sentence Embeddings for Zero-Shot Transfer (TACL)",
)
