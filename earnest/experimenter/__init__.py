"""The experimenter's side: from a campaign file and a file of tasks to a labelled dataset.

==============  ===================================================================================
`settings`      the campaign file, checked all at once
`document`      a file of names and values, and taking it apart
`values`        what each name may hold
`plan`          how many batches, what they cost, what is risky; shown before anything is signed
`layout`        which task stands at which position of which batch, and what the audit checks there
`allowlist`     the tree by which a gate admits labelers
`folder`        what a campaign keeps on disk: terms, manifest, audit key; written once, atomically
`prepare`       plan, layout and a fresh key into a manifest and terms
`publish`       the manifest to where labelers fetch it
`steps`         where a campaign stands for its experimenter, decided from the chain alone
`export`        the dataset, from the chain's records and the manifest alone
==============  ===================================================================================
"""
