"""What a settler can put right."""


class SettlerError(Exception):
    """Something in the way of settling; the message is a sentence for people."""
