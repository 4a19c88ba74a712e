"""SIB-200: topic classification of parallel sentences.

On the Hub the rows are read from the mirror that MTEB keeps in parquet; a local folder follows Davlan/sib200.

Licence: Apache-2.0; the sentences are those of FLORES-200, CC BY-SA 4.0.
"""

from xquality.data.source import HubSource
from xquality.heads import SequenceHead
from xquality.tasks.base import Task

sib200 = Task(
    name="sib200",
    # The languages of the local collection; the dataset has 205.
    languages=tuple(
        (
            "amh_Ethi arb_Arab ben_Beng deu_Latn eng_Latn eus_Latn fin_Latn fra_Latn heb_Hebr hin_Deva hun_Latn "
            "ind_Latn jav_Latn jpn_Jpan kat_Geor kaz_Cyrl pes_Arab por_Latn quy_Latn rus_Cyrl spa_Latn swh_Latn "
            "tam_Taml tha_Thai tur_Latn vie_Latn yor_Latn zho_Hans"
        ).split()
    ),
    source_language="eng_Latn",
    source=HubSource("mteb/sib200", "a74d7350ea12af010cfb1c21e34f1f81fd2e615b", "sib200/{language}"),
    head=SequenceHead(
        columns=("text",),
        labels=("entertainment", "geography", "health", "politics", "science/technology", "sports", "travel"),
    ),
    rename={"category": "label"},
    citation="Adelani et al. 2024, SIB-200 (EACL)",
)
