"""Language codes: one identity for the spellings that datasets use ("es", "spa", "spa_Latn").

May import: nothing.
"""

from typing import Final

# ISO 639-3 to ISO 639-1, for the languages of XTREME, SIB-200 and XCOPA; macrolanguage members map to what
# XTREME calls the language (cmn and zho are zh, pes is fa, arb is ar, swh is sw).
_SHORT: Final = dict(
    pair.split(":")
    for pair in (
        "afr:af amh:am ara:ar arb:ar bul:bg ben:bn deu:de ell:el eng:en spa:es est:et eus:eu fas:fa pes:fa fin:fi "
        "fra:fr guj:gu heb:he hin:hi hat:ht hun:hu ind:id ita:it jpn:ja jav:jv kat:ka kaz:kk kor:ko lit:lt mal:ml "
        "mar:mr msa:ms mya:my nld:nl pan:pa pol:pl por:pt quy:qu ron:ro rus:ru swa:sw swh:sw tam:ta tel:te tha:th "
        "tgl:tl tur:tr ukr:uk urd:ur vie:vi yor:yo cmn:zh zho:zh"
    ).split()
)


def identity(language: str) -> str:
    """Return one code for a language however it is spelled; an unknown spelling stays as it is.

    Example:
        >>> identity("spa_Latn"), identity("es"), identity("xx")
        ('es', 'es', 'xx')
    """
    code = language.replace("-", "_").split("_")[0].lower()
    return _SHORT.get(code, code)
