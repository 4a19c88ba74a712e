"""Language codes: one identity for the spellings that datasets use ("es", "spa", "spa_Latn").

May import: nothing.
"""

from typing import Final

# ISO 639-3 to ISO 639-1, for the languages of XTREME, SIB-200 and XCOPA, and those that can be identified;
# macrolanguage members map to what XTREME calls the language (cmn and zho are zh, pes is fa, arb is ar, swh is sw).
_SHORT: Final = dict(
    pair.split(":")
    for pair in (
        "afr:af amh:am ara:ar arb:ar bul:bg ben:bn deu:de ell:el eng:en spa:es est:et eus:eu fas:fa pes:fa fin:fi "
        "fra:fr guj:gu heb:he hin:hi hat:ht hun:hu ind:id ita:it jpn:ja jav:jv kat:ka kaz:kk kor:ko lit:lt mal:ml "
        "mar:mr msa:ms mya:my nld:nl pan:pa pol:pl por:pt quy:qu ron:ro rus:ru swa:sw swh:sw tam:ta tel:te tha:th "
        "tgl:tl tur:tr ukr:uk urd:ur vie:vi yor:yo cmn:zh zho:zh "
        "als:sq arg:an asm:as aym:ay ayr:ay aze:az azj:az bak:ba bel:be bod:bo bos:bs bre:br cat:ca ces:cs cym:cy "
        "dan:da dzo:dz ekk:et epo:eo ewe:ee fao:fo fil:tl fry:fy gaz:om gla:gd gle:ga glg:gl grn:gn gug:gn hau:ha "
        "hrv:hr hye:hy ibo:ig isl:is kan:kn khk:mn khm:km kik:ki kin:rw kir:ky kmr:ku kur:ku lao:lo lat:la lav:lv "
        "lin:ln ltz:lb lug:lg lvs:lv mkd:mk mlg:mg mlt:mt mon:mn nb:no nep:ne nno:nn nob:no nor:no npi:ne nya:ny "
        "oci:oc ori:or orm:om ory:or pbt:ps plt:mg pus:ps que:qu run:rn san:sa sin:si slk:sk slv:sl sme:se sna:sn "
        "snd:sd som:so sot:st sqi:sq srp:sr sun:su swe:sv tat:tt tgk:tg tir:ti tsn:tn tso:ts tuk:tk uig:ug uzb:uz "
        "uzn:uz vol:vo wln:wa wol:wo xho:xh ydd:yi yid:yi zsm:ms zul:zu"
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
