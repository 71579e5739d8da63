"""What a labeler needs: a journal that no crash empties, the steps that are due, and the way to label.

==========  ==============================================================================
`offer`     what a campaign may bring and cost, before anything is staked
`batch`     what a seat is asked, and its labels from the answers
`answers`   answers from and to a CSV file
`terminal`  answers with one key each
`journal`   answers and openings on disk, flushed, before anything is sent
`sight`     what the chain says, as of one block, and how settled that is
`steps`     what is due, from the chain and the journal alone
`act`       doing it; once more after an interruption does no harm
`run`       all of that until everything is paid, whatever becomes of the node meanwhile
`backup`    the journal enciphered under the wallet's own signature
`history`   scores and earnings, from the chain's records
==========  ==============================================================================
"""
