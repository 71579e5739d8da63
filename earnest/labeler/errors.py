"""What can be wrong with what a labeler hands in, or with what is kept on disk."""


class LabelerError(ValueError):
    """Input or a state that cannot be used; the message says what is wrong and what would be right."""
