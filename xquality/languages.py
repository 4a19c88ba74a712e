"""Language codes: one code for the spellings that datasets use ("es", "spa", "spa_Latn"), scripts and families."""

from collections.abc import Callable, Collection
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

    A pair of languages, such as the paragraph's and the question's in "de.en", keeps both.

    Example:
        >>> identity("spa_Latn"), identity("es"), identity("xx"), identity("deu_Latn.eng_Latn")
        ('es', 'es', 'xx', 'de.en')
    """
    return ".".join(members(language))


def members(language: str) -> tuple[str, ...]:
    """Return the languages that a code names, as `identity` writes them: one, or the two of a pair.

    Example:
        >>> members("deu_Latn"), members("de.en"), members("mlqa.de.en")
        (('de',), ('de', 'en'), ('de', 'en'))
    """
    return tuple(_short(part) for part in language.split(".")[-2:])


def is_among(language: str, languages: Collection[str]) -> bool:
    """Return whether a code is among others in any spelling, for a pair also whether both of its languages are.

    Example:
        >>> is_among("eng_Latn.en", ["en"]), is_among("en.de", ["en"]), is_among("en.de", ["de", "en"])
        (True, False, True)
    """
    known = {identity(other) for other in languages}
    return identity(language) in known or set(members(language)) <= known


def _short(language: str) -> str:
    """Return the code of one language."""
    code = language.replace("-", "_").split("_")[0].lower()
    return _SHORT.get(code, code)


def script(language: str) -> str:
    """Return the script that a language is usually written in, as an ISO 15924 code; "unknown" if it is not known.

    If the spelling names a script, that script is returned; for a pair of languages both where they differ.

    Example:
        >>> script("ru"), script("uzb_Cyrl"), script("xx"), script("de.ar")
        ('Cyrl', 'Cyrl', 'unknown', 'Latn.Arab')
    """
    return _of_members(language, _script)


def _script(language: str) -> str:
    """Return the script of one language."""
    for part in language.replace("-", "_").split("_")[1:]:
        if len(part) == 4 and part.isalpha():
            return part.title()
    return _SCRIPT.get(_short(language), UNKNOWN)


def family(language: str) -> str:
    """Return the language family at the top level of Glottolog; "unknown" if it is not known.

    For a pair of languages it returns both where they differ.

    Example:
        >>> family("swh_Latn"), family("eu"), family("xx")
        ('Atlantic-Congo', 'Basque', 'unknown')
    """
    return _of_members(language, lambda member: _FAMILY.get(_short(member), UNKNOWN))


def _of_members(language: str, get: Callable[[str], str]) -> str:
    """Return a property of the languages that a code names, once where they have it in common."""
    return ".".join(dict.fromkeys(get(member) for member in language.split(".")[-2:]))
