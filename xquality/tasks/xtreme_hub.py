"""The XTREME bundle on the Hub, at the one commit that all tasks read: parquet files, made from the official ones."""

REPOSITORY = "google/xtreme"
REVISION = "ec5f1f46e9af79639a90684a7a70a956c4998f04"
