"""One real campaign on a devnet: real people's labels, some cheats, and every wei accounted for.

`cast` is who takes part and with what; `stage` plays the campaign; `report` shows what came of it.
"""
