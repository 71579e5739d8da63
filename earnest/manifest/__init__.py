"""What a campaign asks, of whom nobody need be trusted: published as one file, fixed on chain by its digest.

===========  ==============================================================================
`question`   the question, its kind, and how an answer becomes a label's byte
`manifest`   question, tasks, each seat's batch and the enciphered audit, as one file
`fetch`      a manifest by URI, checked against its digest
`display`    in which order a seat sees options, sides and items
===========  ==============================================================================
"""
