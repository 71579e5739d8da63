"""What a settler or a watcher runs: campaigns drawn, scores posted and checked, money released.

=========  ============================================================================
`rows`     the audit rows of a stranger's manifest, fetched at arm's length
`scores`   the right scores of campaigns, with their manifests fetched and checked
`steps`    what is due, from the chain's state alone
`act`      doing it; once more after an interruption does no harm
`run`      all of that again and again
`metrics`  what can be scraped meanwhile
=========  ============================================================================
"""
