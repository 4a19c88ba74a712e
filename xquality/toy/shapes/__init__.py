"""The shapes of toy data: one file each, from keyed draws to meanings and from meanings to rows."""
