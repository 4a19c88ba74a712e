"""Language codes: one code for the spellings that datasets use ("es", "spa", "spa_Latn"), scripts, families and names.

The tables are in the package, since no library that it needs has them all. They hold the languages of SIB-200 (all of
FLORES-200), of XTREME, XTREME-R and XCOPA, and those that `LanguageFilter` identifies.
"""

import difflib
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Final

# One line for each language: its ISO 639-1 code, or its ISO 639-3 code where it has none; its other codes (ISO 639-3,
# and withdrawn ones such as iw); its usual script (ISO 15924, as CLDR or SIB-200 writes it where these differ); its
# family, named as at the top level of Glottolog (a creole is in that of its lexifier); its English name. Scripts and
# names are those of CLDR in Babel 2.18 where it has them; the others and all families were entered by hand and not
# compared with a release. Where one member of a macrolanguage stands for it in datasets, it has the code of the
# macrolanguage, as in XTREME (cmn and zho are zh, pes is fa, arb is ar).
_TABLE: Final = """
ace -               Latn Austronesian        Acehnese
acm -               Arab Afro-Asiatic        Mesopotamian Arabic
acq -               Arab Afro-Asiatic        Ta'izzi-Adeni Arabic
aeb -               Arab Afro-Asiatic        Tunisian Arabic
af  afr             Latn Indo-European       Afrikaans
ajp -               Arab Afro-Asiatic        South Levantine Arabic
ak  aka             Latn Atlantic-Congo      Akan
am  amh             Ethi Afro-Asiatic        Amharic
an  arg             Latn Indo-European       Aragonese
apc -               Arab Afro-Asiatic        North Levantine Arabic
ar  ara,arb         Arab Afro-Asiatic        Arabic
ars -               Arab Afro-Asiatic        Najdi Arabic
ary -               Arab Afro-Asiatic        Moroccan Arabic
arz -               Arab Afro-Asiatic        Egyptian Arabic
as  asm             Beng Indo-European       Assamese
ast -               Latn Indo-European       Asturian
awa -               Deva Indo-European       Awadhi
ay  aym,ayr         Latn Aymaran             Aymara
az  aze,azj         Latn Turkic              Azerbaijani
azb -               Arab Turkic              South Azerbaijani
ba  bak             Cyrl Turkic              Bashkir
ban -               Latn Austronesian        Balinese
bcl bik             Latn Austronesian        Central Bikol
be  bel             Cyrl Indo-European       Belarusian
bem -               Latn Atlantic-Congo      Bemba
bg  bul             Cyrl Indo-European       Bulgarian
bho -               Deva Indo-European       Bhojpuri
bjn -               Latn Austronesian        Banjar
bm  bam             Latn Mande               Bambara
bn  ben             Beng Indo-European       Bangla
bo  bod             Tibt Sino-Tibetan        Tibetan
br  bre             Latn Indo-European       Breton
bs  bos             Latn Indo-European       Bosnian
bug -               Latn Austronesian        Buginese
ca  cat             Latn Indo-European       Catalan
ceb -               Latn Austronesian        Cebuano
cjk -               Latn Atlantic-Congo      Chokwe
ckb -               Arab Indo-European       Central Kurdish
crh -               Latn Turkic              Crimean Tatar
cs  ces             Latn Indo-European       Czech
cy  cym             Latn Indo-European       Welsh
da  dan             Latn Indo-European       Danish
de  deu             Latn Indo-European       German
dik din             Latn Nilotic             Southwestern Dinka
dyu -               Latn Mande               Dyula
dz  dzo             Tibt Sino-Tibetan        Dzongkha
ee  ewe             Latn Atlantic-Congo      Ewe
el  ell             Grek Indo-European       Greek
en  eng             Latn Indo-European       English
eo  epo             Latn Artificial_Language Esperanto
es  spa             Latn Indo-European       Spanish
et  ekk,est         Latn Uralic              Estonian
eu  eus             Latn Basque              Basque
ext -               Latn Indo-European       Extremaduran
fa  fas,pes         Arab Indo-European       Persian
ff  ful,fuv         Latn Atlantic-Congo      Nigerian Fulfulde
fi  fin             Latn Uralic              Finnish
fj  fij             Latn Austronesian        Fijian
fo  fao             Latn Indo-European       Faroese
fon -               Latn Atlantic-Congo      Fon
fr  fra             Latn Indo-European       French
fur -               Latn Indo-European       Friulian
fy  fry             Latn Indo-European       Western Frisian
ga  gle             Latn Indo-European       Irish
gcf -               Latn Indo-European       Guadeloupean Creole
gcr -               Latn Indo-European       Guianese Creole
gd  gla             Latn Indo-European       Scottish Gaelic
gl  glg             Latn Indo-European       Galician
gn  grn,gug         Latn Tupian              Guarani
gom kok             Deva Indo-European       Konkani
grc -               Grek Indo-European       Ancient Greek
gu  guj             Gujr Indo-European       Gujarati
guw -               Latn Atlantic-Congo      Gun
ha  hau             Latn Afro-Asiatic        Hausa
hbo -               Hebr Afro-Asiatic        Ancient Hebrew
he  heb,iw          Hebr Afro-Asiatic        Hebrew
hi  hin             Deva Indo-European       Hindi
hne -               Deva Indo-European       Chhattisgarhi
hr  hrv             Latn Indo-European       Croatian
ht  hat             Latn Indo-European       Haitian Creole
hu  hun             Latn Uralic              Hungarian
hy  hye             Armn Indo-European       Armenian
id  in,ind          Latn Austronesian        Indonesian
ig  ibo             Latn Atlantic-Congo      Igbo
ilo -               Latn Austronesian        Iloko
is  isl             Latn Indo-European       Icelandic
it  ita             Latn Indo-European       Italian
ja  jpn             Jpan Japonic             Japanese
jv  jav,jw          Latn Austronesian        Javanese
ka  kat             Geor Kartvelian          Georgian
kab -               Latn Afro-Asiatic        Kabyle
kac -               Latn Sino-Tibetan        Kachin
kam -               Latn Atlantic-Congo      Kamba
kbp -               Latn Atlantic-Congo      Kabiye
kea -               Latn Indo-European       Kabuverdianu
kg  kon             Latn Atlantic-Congo      Kongo
ki  kik             Latn Atlantic-Congo      Kikuyu
kk  kaz             Cyrl Turkic              Kazakh
km  khm             Khmr Austroasiatic       Khmer
kmb -               Latn Atlantic-Congo      Kimbundu
kn  kan             Knda Dravidian           Kannada
ko  kor             Kore Koreanic            Korean
kr  kau,knc         Latn Saharan             Kanuri
ks  kas             Arab Indo-European       Kashmiri
ku  kmr,kur         Latn Indo-European       Kurdish
ky  kir             Cyrl Turkic              Kyrgyz
la  lat             Latn Indo-European       Latin
lb  ltz             Latn Indo-European       Luxembourgish
lg  lug             Latn Atlantic-Congo      Ganda
li  lim             Latn Indo-European       Limburgish
lij -               Latn Indo-European       Ligurian
lmo -               Latn Indo-European       Lombard
ln  lin             Latn Atlantic-Congo      Lingala
lo  lao             Laoo Tai-Kadai           Lao
lt  lit             Latn Indo-European       Lithuanian
ltg -               Latn Indo-European       Latgalian
lua -               Latn Atlantic-Congo      Luba-Lulua
luo -               Latn Nilotic             Luo
lus -               Latn Sino-Tibetan        Mizo
lv  lav,lvs         Latn Indo-European       Latvian
mag -               Deva Indo-European       Magahi
mai -               Deva Indo-European       Maithili
mg  mlg,plt         Latn Austronesian        Malagasy
mi  mri             Latn Austronesian        Māori
min -               Latn Austronesian        Minangkabau
mk  mkd             Cyrl Indo-European       Macedonian
ml  mal             Mlym Dravidian           Malayalam
mn  khk,mon         Cyrl Mongolic-Khitan     Mongolian
mni -               Beng Sino-Tibetan        Manipuri
mos -               Latn Atlantic-Congo      Mossi
mr  mar             Deva Indo-European       Marathi
ms  msa,zsm         Latn Austronesian        Malay
mt  mlt             Latn Afro-Asiatic        Maltese
my  mya             Mymr Sino-Tibetan        Burmese
ne  nep,npi         Deva Indo-European       Nepali
nl  nld             Latn Indo-European       Dutch
nn  nno             Latn Indo-European       Norwegian Nynorsk
no  nb,nob,nor      Latn Indo-European       Norwegian
nqo -               Nkoo Mande               N'Ko
nso -               Latn Atlantic-Congo      Northern Sotho
nus -               Latn Nilotic             Nuer
ny  nya             Latn Atlantic-Congo      Nyanja
oc  oci             Latn Indo-European       Occitan
om  gaz,orm         Latn Afro-Asiatic        Oromo
or  ori,ory         Orya Indo-European       Odia
pa  pan             Guru Indo-European       Punjabi
pag -               Latn Austronesian        Pangasinan
pap -               Latn Indo-European       Papiamento
pcm -               Latn Indo-European       Nigerian Pidgin
pl  pol             Latn Indo-European       Polish
prs -               Arab Indo-European       Dari
ps  pbt,pus         Arab Indo-European       Pashto
pt  por             Latn Indo-European       Portuguese
qu  que,quy         Latn Quechuan            Quechua
rn  run             Latn Atlantic-Congo      Rundi
ro  mo,ron          Latn Indo-European       Romanian
ru  rus             Cyrl Indo-European       Russian
rw  kin             Latn Atlantic-Congo      Kinyarwanda
sa  san             Deva Indo-European       Sanskrit
sat -               Olck Austroasiatic       Santali
sc  srd             Latn Indo-European       Sardinian
scn -               Latn Indo-European       Sicilian
sd  snd             Arab Indo-European       Sindhi
sdh -               Arab Indo-European       Southern Kurdish
se  sme             Latn Uralic              Northern Sami
sg  sag             Latn Atlantic-Congo      Sango
shn -               Mymr Tai-Kadai           Shan
si  sin             Sinh Indo-European       Sinhala
sk  slk             Latn Indo-European       Slovak
sl  slv             Latn Indo-European       Slovenian
sm  smo             Latn Austronesian        Samoan
sn  sna             Latn Atlantic-Congo      Shona
so  som             Latn Afro-Asiatic        Somali
sq  als,sqi         Latn Indo-European       Albanian
sr  srp             Cyrl Indo-European       Serbian
ss  ssw             Latn Atlantic-Congo      Swati
st  sot             Latn Atlantic-Congo      Southern Sotho
su  sun             Latn Austronesian        Sundanese
sv  swe             Latn Indo-European       Swedish
sw  swa,swh         Latn Atlantic-Congo      Swahili
szl -               Latn Indo-European       Silesian
ta  tam             Taml Dravidian           Tamil
taq -               Latn Afro-Asiatic        Tamasheq
te  tel             Telu Dravidian           Telugu
tg  tgk             Cyrl Indo-European       Tajik
th  tha             Thai Tai-Kadai           Thai
ti  tir             Ethi Afro-Asiatic        Tigrinya
tk  tuk             Latn Turkic              Turkmen
tl  fil,tgl         Latn Austronesian        Tagalog
tn  tsn             Latn Atlantic-Congo      Tswana
tpi -               Latn Indo-European       Tok Pisin
tr  tur             Latn Turkic              Turkish
ts  tso             Latn Atlantic-Congo      Tsonga
tt  tat             Cyrl Turkic              Tatar
tum -               Latn Atlantic-Congo      Tumbuka
tw  twi             Latn Atlantic-Congo      Twi
tzm -               Tfng Afro-Asiatic        Central Atlas Tamazight
ug  uig             Arab Turkic              Uyghur
uk  ukr             Cyrl Indo-European       Ukrainian
umb -               Latn Atlantic-Congo      Umbundu
ur  urd             Arab Indo-European       Urdu
uz  uzb,uzn         Latn Turkic              Uzbek
uzs -               Arab Turkic              Southern Uzbek
vec -               Latn Indo-European       Venetian
vi  vie             Latn Austroasiatic       Vietnamese
vo  vol             Latn Artificial_Language Volapük
wa  wln             Latn Indo-European       Walloon
war -               Latn Austronesian        Waray
wo  wol             Latn Atlantic-Congo      Wolof
wuu -               Hans Sino-Tibetan        Wu Chinese
xh  xho             Latn Atlantic-Congo      Xhosa
yi  ji,ydd,yid      Hebr Indo-European       Yiddish
yo  yor             Latn Atlantic-Congo      Yoruba
yue -               Hant Sino-Tibetan        Cantonese
zh  cmn,zho         Hans Sino-Tibetan        Chinese
zu  zul             Latn Atlantic-Congo      Zulu
"""
_LINES: Final = [line.split(maxsplit=4) for line in _TABLE.strip().split("\n")]
_SHORT: Final = {other: code for code, others, *_ in _LINES for other in others.split(",") if other != "-"}
_SCRIPT: Final = {line[0]: line[2] for line in _LINES}
_FAMILY: Final = {line[0]: line[3].replace("_", " ") for line in _LINES}
_NAME: Final = {line[0]: line[4] for line in _LINES}
# Scripts that are parts or styles of another one, by ISO 15924: languages written in both belong together.
_SAME_SCRIPT: Final = {
    **dict.fromkeys(("Hang", "Jamo"), "Kore"),
    **dict.fromkeys(("Hira", "Hrkt", "Kana"), "Jpan"),
    **dict.fromkeys(("Latf", "Latg"), "Latn"),
    **dict.fromkeys(("Syre", "Syrj", "Syrn"), "Syrc"),
    "Aran": "Arab",
    "Cyrs": "Cyrl",
}
_TRADITIONAL: Final = ("TW", "HK", "MO")  # where Chinese is written in traditional characters
_MOST_LISTED: Final = 40  # codes in a message
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


@lru_cache(maxsize=4096)
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
    code = _parts(language)[0].lower()
    return _SHORT.get(code, code)


def _parts(language: str) -> list[str]:
    """Return the parts of a code: the language, and perhaps the script and the region."""
    return language.replace("-", "_").split("_")


def script(language: str) -> str:
    """Return the script that a language is usually written in, as an ISO 15924 code; "unknown" if it is not known.

    If the spelling names a script, that script is returned; the parts and styles of a script are that script, as Hangul
    is of Korean. For a pair of languages both are returned where they differ.

    Example:
        >>> script("ru"), script("uzb_Cyrl"), script("kor_Hang"), script("ko"), script("xx"), script("de.ar")
        ('Cyrl', 'Cyrl', 'Kore', 'Kore', 'unknown', 'Latn.Arab')
    """
    return _of_members(language, _script)


def _script(language: str) -> str:
    """Return the script of one language."""
    usual = _SCRIPT.get(_short(language), UNKNOWN)
    for part in _parts(language)[1:]:
        if len(part) == 4 and part.isalpha():
            named = part.title()
            han = named == "Hani" and usual in {"Hans", "Hant", "Jpan", "Kore"}
            return usual if han else _SAME_SCRIPT.get(named, named)
        if usual == "Hans" and part.upper() in _TRADITIONAL:
            return "Hant"
    return usual


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


def similar(language: object, known: Sequence[str]) -> tuple[str, ...]:
    """Return which of the known spellings may be meant by another one: the same language, a similar name or code.

    Example:
        >>> similar("spanish", ("de", "es")), similar("spa", ("de", "es")), similar("eng_Latin", ("eng_Latn",))
        (('es',), ('es',), ('eng_Latn',))
    """
    if not isinstance(language, str) or not language.strip():
        return ()
    wanted = language.strip().casefold()
    by_name = {name.casefold(): code for code, name in _NAME.items()}
    names = [wanted] if wanted in by_name else difflib.get_close_matches(wanted, by_name, n=1, cutoff=0.8)
    codes = {identity(wanted), *(by_name[name] for name in names)}
    same = tuple(spelling for spelling in known if identity(spelling) in codes and spelling != language)
    if same:
        return same[:3]
    by_spelling = {spelling.casefold(): spelling for spelling in known}
    return tuple(by_spelling[near] for near in difflib.get_close_matches(wanted, by_spelling, n=1, cutoff=0.75))


def describe_known(language: object, known: Sequence[str]) -> str:
    """Return the end of a message about a language that is not known: which may be meant, and which there are.

    Example:
        >>> describe_known("spanish", ("de", "es"))
        " (did you mean 'es'?); there are de, es"
    """
    distinct = list(dict.fromkeys(known))
    shown = ", ".join(distinct[:_MOST_LISTED])
    more = f" and {len(distinct) - _MOST_LISTED} more" if len(distinct) > _MOST_LISTED else ""
    return f"{did_you_mean(language, known)}; there are {shown}{more}"


def did_you_mean(language: object, known: Sequence[str]) -> str:
    """Return a part of a message that names which of the known languages may be meant; empty where there is none.

    Example:
        >>> did_you_mean("spanish", ("de", "es")), did_you_mean("xx", ("de", "es"))
        (" (did you mean 'es'?)", '')
    """
    near = " or ".join(map(repr, similar(language, known)))
    return f" (did you mean {near}?)" if near else ""
