"""Tasks from files: JSONL, CSV or Parquet rows, and which of their columns a campaign shows.

=========  ==========================================================================
`rows`     rows of a file, each with its number, as plain values
`columns`  rows into the manifest's tasks, with the answers that are known
`errors`   what can be wrong with a file of tasks
=========  ==========================================================================
"""
