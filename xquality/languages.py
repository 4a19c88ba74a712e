"""Language codes: one code for the spellings that datasets use ("es", "spa", "spa_Latn"), scripts and families."""

from typing import Final

# One line for each script and family, for the languages of XTREME, SIB-200 and XCOPA. Scripts are the usual ones, by
# ISO 15924 code; families are the top level of Glottolog. Each language: its ISO 639-1 code, then its ISO 639-3 codes;
# members of a macrolanguage have the code that XTREME uses (cmn and zho are zh, pes is fa, arb is ar).
_TABLE: Final = """
Latn Indo-European     af:afr de:deu en:eng es:spa fr:fra ht:hat it:ita lt:lit nl:nld pl:pol pt:por ro:ron
Cyrl Indo-European     bg:bul ru:rus uk:ukr
Grek Indo-European     el:ell
Arab Indo-European     fa:fas,pes ur:urd
Deva Indo-European     hi:hin mr:mar
Beng Indo-European     bn:ben
Gujr Indo-European     gu:guj
Guru Indo-European     pa:pan
Arab Afro-Asiatic      ar:ara,arb
Hebr Afro-Asiatic      he:heb
Ethi Afro-Asiatic      am:amh
Latn Atlantic-Congo    sw:swa,swh yo:yor
Latn Austronesian      id:ind jv:jav ms:msa,zsm tl:tgl
Latn Austroasiatic     vi:vie
Latn Uralic            et:est fi:fin hu:hun
Latn Turkic            tr:tur
Cyrl Turkic            kk:kaz
Latn Basque            eu:eus
Latn Quechuan          qu:que,quy
Geor Kartvelian        ka:kat
Taml Dravidian         ta:tam
Telu Dravidian         te:tel
Mlym Dravidian         ml:mal
Hans Sino-Tibetan      zh:zho,cmn
Mymr Sino-Tibetan      my:mya
Thai Tai-Kadai         th:tha
Jpan Japonic           ja:jpn
Kore Koreanic          ko:kor
"""
# Further languages, which `LanguageFilter` can identify: ISO 639-3 to ISO 639-1.
_MORE: Final = (
    "als:sq arg:an asm:as aym:ay ayr:ay aze:az azj:az bak:ba bel:be bod:bo bos:bs bre:br cat:ca ces:cs cym:cy "
    "dan:da dzo:dz ekk:et epo:eo ewe:ee fao:fo fil:tl fry:fy gaz:om gla:gd gle:ga glg:gl grn:gn gug:gn hau:ha "
    "hrv:hr hye:hy ibo:ig isl:is kan:kn khk:mn khm:km kik:ki kin:rw kir:ky kmr:ku kur:ku lao:lo lat:la lav:lv "
    "lin:ln ltz:lb lug:lg lvs:lv mkd:mk mlg:mg mlt:mt mon:mn nb:no nep:ne nno:nn nob:no nor:no npi:ne nya:ny "
    "oci:oc ori:or orm:om ory:or pbt:ps plt:mg pus:ps run:rn san:sa sin:si slk:sk slv:sl sme:se sna:sn snd:sd "
    "som:so sot:st sqi:sq srp:sr sun:su swe:sv tat:tt tgk:tg tir:ti tsn:tn tso:ts tuk:tk uig:ug uzb:uz uzn:uz "
    "vol:vo wln:wa wol:wo xho:xh ydd:yi yid:yi zul:zu"
)
_LINES: Final = [line.split() for line in _TABLE.strip().split("\n")]
_SHORT: Final = dict(pair.split(":") for pair in _MORE.split()) | {
    code: short
    for _, _, *languages in _LINES
    for short, _, codes in (language.partition(":") for language in languages)
    for code in codes.split(",")
}
_SCRIPT: Final = {language.partition(":")[0]: line[0] for line in _LINES for language in line[2:]}
_FAMILY: Final = {language.partition(":")[0]: line[1] for line in _LINES for language in line[2:]}
UNKNOWN: Final = "unknown"
"""The script and the family of a language that is not in the tables."""


def identity(language: str) -> str:
    """Return the same code for every spelling of a language: ISO 639-1 if there is one, else the code as given.

    Example:
        >>> identity("spa_Latn"), identity("es"), identity("xx")
        ('es', 'es', 'xx')
    """
    code = language.replace("-", "_").split("_")[0].lower()
    return _SHORT.get(code, code)


def script(language: str) -> str:
    """Return the script that a language is usually written in, as an ISO 15924 code; "unknown" if it is not known.

    If the spelling names a script, that script is returned.

    Example:
        >>> script("ru"), script("uzb_Cyrl"), script("xx")
        ('Cyrl', 'Cyrl', 'unknown')
    """
    for part in language.replace("-", "_").split("_")[1:]:
        if len(part) == 4 and part.isalpha():
            return part.title()
    return _SCRIPT.get(identity(language), UNKNOWN)


def family(language: str) -> str:
    """Return the language family at the top level of Glottolog; "unknown" if it is not known.

    Example:
        >>> family("swh_Latn"), family("eu"), family("xx")
        ('Atlantic-Congo', 'Basque', 'unknown')
    """
    return _FAMILY.get(identity(language), UNKNOWN)
