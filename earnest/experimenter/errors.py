"""What can be wrong with a campaign file, or with what it asks for."""


class ExperimenterError(ValueError):
    """A campaign that cannot be planned, prepared or exported; the message says what would be right."""
