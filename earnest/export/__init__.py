"""The dataset, written for other programs: JSONL, CSV, Parquet, preference records and Label Studio's JSON.

Every file is written whole or not at all, and the same dataset always gives the same bytes.
"""
