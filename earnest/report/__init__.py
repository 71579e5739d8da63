"""A report that one can look at: one self-contained HTML file, and tables for other programs beside it.

===========  ==============================================================================
`build`      the entries: a report of a campaign, or of a plain table of labels
`labels`     what was answered and what came out: agreement, confusion, confidence
`books`      what the seats got and what a label cost, from the campaign's state
`figures`    the plots
`page`       the HTML, with everything that it needs inside
`tables`     `seats.csv`, `tasks.csv`, `labelers.csv`
===========  ==============================================================================
"""

from earnest.report.build import report_campaign, report_table, reveal_times

__all__ = ["report_campaign", "report_table", "reveal_times"]
