"""What can be wrong with a manifest."""


class ManifestError(ValueError):
    """A manifest, question or task that cannot be used; the message says why, and what would be right."""
