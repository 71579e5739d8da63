"""The chain as a client sees it: campaigns, seats and batches instead of calls and logs.

===============  =======================================================================================
`deployment`     contracts on a chain: params by network, deterministic addresses, a registry by chain id
`client`         everything that someone can do, and every view, over Ape
`sending`        a transaction handed to the node until it is mined
`views`          what views tell, as plain values
`tokens`         what strangers' tokens tell
`events`         logs, read in ranges, as records
`store`          those logs on disk, in SQLite
`follow`         the store kept up with the chain, reorganisations included; the state from it
`doubts`         whether what was read is what the contract holds
`failures`       what a node can do to whoever asks it, and how it is told
`confirmations`  when a block is taken as settled
`demo`           one real campaign on a devnet, played by the above
`records`        the events of the contract as plain records; free of Ape, as are all below
`life`           the phases and their deadlines
`phases`         when a campaign's phases began
`state`          the whole state of the contract, rebuilt from records alone
`settle`         the scores of a campaign to post, and what refereeing a batch takes, from its state
`errors`         what the contract refuses, as a sentence
`messages`       what labelers hand to others: openings, signed enrolments and commitments
`wallet`         a wallet's own money: deposits, and what is pending
`money`          amounts as people write them
`gas`            what a transaction may use
`header`         a block's header, for randomness that is proven from one
===============  =======================================================================================
"""
