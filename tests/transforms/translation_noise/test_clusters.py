"""No transform cuts or joins grapheme clusters, in any script, nor do its offsets and tags."""

import pytest
import regex
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.text.words import word_spans

KHMER = [
    "ក្រុមប្រឹក្សាភិបាលបានសម្រេចចិត្តផ្តល់ជំនួយដល់សិស្សានុសិស្សនៅខេត្តកំពង់ធំ។",
    "អ្នកវិទ្យាសាស្ត្រនៅសាកលវិទ្យាល័យភ្នំពេញ បានរកឃើញប្រភេទត្រីថ្មីមួយក្នុងទន្លេមេគង្គ។",
    "ព្រះរាជាណាចក្រកម្ពុជា ឲ្យដឹងថា ២៥ ភាគរយ",
]
BURMESE = [
    "မြန်မာနိုင်ငံ၏ ဝန်ကြီးချုပ်သည် အင်္ဂလိပ်စာသင်တန်းကို ဖွင့်လှစ်ခဲ့သည်။",
    "သတ္တဗေဒပညာရှင်များက ကမ္ဘာ့အကြီးဆုံး ပိုးကောင်ကို တွေ့ရှိခဲ့ကြသည်။",
    "ဗုဒ္ဓဘာသာ ဘုန်းတော်ကြီးကျောင်း ၁၂ ကျောင်း",
]
KINDS = ("omission", "repetition", "reordering", "wrong_word", "untranslated", "truncation", "hallucination")
# Well-formed and malformed pieces: marks and linkers without a base, halves of flags and syllables, joined emoji.
PIECES = [
    "ក", "ក្រុ", "្", "ា", "តែ", "က", "င်္ဂ", "္", "ာ", "်", "।", "न", "्", "क्ष", "ก", "ำ", "東", "か", "\u3099", "ﾞ", "abc", "Z", " ", " ", "…",
    "한", "\u1100", "\u1161", "\u11a8", "🇪", "🇸", "👩", "\u200d", "👧", "🏽", "\u0301", "\ufe0f", "\u200c", "\u0600", "\u0d4e",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def clusters(*found):
    return {cluster for text in found for cluster in regex.findall(r"\X", text)} | {" "}


def check_text(values, severity, seed):
    """Check every text of a noise against what it was made of: the text itself, its source, the words."""
    features = Features({"text": Value("string"), "source": Value("string")})
    data = Dataset.from_dict({"text": values, "source": values[::-1]}, features=features)
    try:
        vocabulary = xq.Vocabulary.fit(data, ["text"])
    except xq.XqualityError:  # there are no words
        return
    words = clusters(*vocabulary.words, *vocabulary.characters)
    noise = xq.TranslationNoise(severity, errors=KINDS[:4] + KINDS[5:], vocabulary=vocabulary)
    for text, noisy in zip(values, noise(data, seed=seed)["text"], strict=True):
        assert clusters(noisy) <= clusters(text) | words
    assert {word for word in vocabulary.characters if clusters(word) - clusters(*values)} == set()


@pytest.mark.parametrize("values", [KHMER, BURMESE, [*KHMER, *BURMESE]])
def test_khmer_and_burmese_clusters_stay_whole(values):
    for seed in range(4):
        check_text(values, 0.3, seed)
    for noisy in xq.TranslationNoise(0.5)(Dataset.from_dict({"text": values}), seed=1)["text"]:
        assert not regex.search(r"[\u17d2\u1039](?![\u1780-\u17b3\u1000-\u102a])", noisy)  # nothing dangles


def test_the_khmer_word_that_was_cut():
    data = Dataset.from_dict({"text": ["ក្រុមប្រឹក្សា"] * 6})
    noisy = xq.TranslationNoise(0.5, errors=("omission",))(data, seed=1)["text"]
    assert clusters(*noisy) <= {"ក្រុ", "ម", "ប្រឹ", "ក្សា", " "}


@given(st.lists(texts, min_size=1, max_size=5), st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 3))
def test_no_cluster_comes_out_that_did_not_go_in(values, severity, seed):
    check_text(values, severity, seed)


def test_text_between_malformed_marks_stays_as_it_is_and_is_not_counted():
    data = Dataset.from_dict({"text": ["កខ្ គឃ"] * 40})  # without the space the linker would join what follows
    noisy = xq.TranslationNoise(0.3, errors=("omission",))(data, seed=1)
    assert set(clusters(*noisy["text"])) <= clusters("កខ្ គឃ")
    units = sum(len(regex.findall("[កខគឃ]", text)) for text in noisy["text"])
    assert xq.history(noisy)[-1].details["kinds"] == {"omission": 4 * 40 - units} != {"omission": 0}


@pytest.mark.parametrize("context", [*KHMER, *BURMESE])
def test_offsets_point_at_whole_clusters(context):
    words = word_spans(context)
    rows = [
        {"text": [context[start : words[number + 2][1]]], "answer_start": [start]}
        for number, (start, _) in enumerate(words[:-2])
    ]
    data = Dataset.from_dict({"context": [context] * len(rows), "answers": rows})
    for transform in (xq.TranslationNoise(0.1, columns=("context",)), xq.SpanNoise(0.9)):
        after = transform(data, seed=1)
        for text, answers in zip(after["context"], after["answers"], strict=True):
            answer, start = answers["text"][0], answers["answer_start"][0]
            assert text[start : start + len(answer)] == answer
            cuts = {found.start() for found in regex.finditer(r"\X", text)} | {len(text)}
            assert {start, start + len(answer)} <= cuts
            assert not regex.match(r"\p{M}", answer)
            assert not regex.match(r"\p{M}", text[start + len(answer) :])


def test_tokens_and_tags_move_as_wholes():
    tokens = [regex.split(" ", text) for text in (*KHMER, *BURMESE)]
    names = ["O", "B-LOC", "I-LOC"]
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=names))})
    tags = [[place % 3 if place != 2 else 2 for place in range(len(row))] for row in tokens]
    data = Dataset.from_dict({"tokens": tokens, "tags": tags}, features=features)
    after = xq.TranslationNoise(0.4, columns=("tokens",))(data, seed=2)
    for row, found, found_tags in zip(tokens, after["tokens"], after["tags"], strict=True):
        assert set(found) <= {*row, *(token for token in found if regex.search(r"\d", token))}
        assert len(found) == len(found_tags)
