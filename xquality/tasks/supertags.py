"""The files of CCG supertagging, one sentence a line, in either of two forms.

With blanks between tokens, each of them a word, a part of speech and a category, as the C&C tools write CCGbank:

    Pierre|NNP|N/N Vinken|NNP|N

Or with a tab between the words and their categories, as jiant reads it:

    Pierre Vinken<tab>N/N N
"""

from pathlib import Path

from xquality.data.local_files import line_error, read_lines

Supertagged = tuple[list[str], list[str]]  # words and their categories

_PARTS = 3


def read_supertags(file: Path) -> list[Supertagged]:
    """Return the sentences of a file; empty lines are passed over.

    Raises:
        DamagedError: for a line of another form, naming it.
    """
    return [_sentence(file, number, one) for number, one in enumerate(read_lines(file), start=1) if one.strip()]


def _sentence(file: Path, number: int, line: str) -> Supertagged:
    """Return one line's words and categories."""
    if "\t" in line:
        words, _, categories = line.partition("\t")
        found = words.split(), categories.split()
        right = len(found[0]) == len(found[1]) > 0 and "\t" not in categories.strip()
    else:
        parts = [token.rsplit("|", _PARTS - 1) for token in line.split()]
        right = all(len(one) == _PARTS and all(one) for one in parts)
        found = [one[0] for one in parts], [one[-1] for one in parts]
    if not right:
        what = "tokens such as word|POS|category were expected, or words, a tab and as many categories"
        raise line_error(file, number, what)
    return found
