"""Text: words, columns of text, token labels, near-duplicates and language identification."""
