"""Text: words, columns of text, tag schemes, near-duplicates and language identification.

Everything here is private to the package and may change without notice.
"""
