"""Texts of users that some language of markup would read as its own."""

NASTY = (
    "cost $x^$",
    "$5 vs $10",
    "_under",
    "__",
    "$",
    r"\alpha {a} ~^#%&_",
    "<script>alert(1)</script>",
    "</svg>&amp; 'b' \"c\"",
    "a|b*c*[d](e)`f`",
    "two\nlines\tand\ra bell\x07",
    "中文 العربية हिन्दी 👩‍👩‍👧",
    "\u202eturned",
    "x" * 300,
    "=1+1",
)
