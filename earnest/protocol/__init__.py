"""The exact copy of the protocol: to the last bit what the contracts compute, without Ape or a network.

`docs/encoding.md` states every rule; each stands here once:

==============  ==============================================================================
`terms`         what a campaign promises, what a promise must look like, the campaign's id
`labels`        classes, levels and rankings as bytes
`opening`       typed data: openings, salts, enrolments, commitments; a seat's record
`draw`          which batch a seat gets, and back
`audit`         the experimenter's hidden checks: rows, their cipher
`merkle`        the tree over the enciphered rows
`score`         scores of whole campaigns; `reference` is the same, one plain loop after another
`settlement`    pay, slashes, refunds; the packed word of scores; what a seat can lose and win
==============  ==============================================================================
"""
