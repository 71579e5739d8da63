"""What can be wrong with what is handed to the protocol. Messages say the wrong value and the right one."""


class ProtocolError(ValueError):
    """Any input that the protocol cannot accept."""


class TermsError(ProtocolError):
    """Terms that the contract would reject at creation."""


class LabelError(ProtocolError):
    """Labels out of range, of the wrong number, or that are no ranking or level."""


class OpeningError(ProtocolError):
    """A value that does not fit its place in the typed data."""


class DrawError(ProtocolError):
    """A seat, batch or round that the draw does not have."""


class AuditError(ProtocolError):
    """An audit row that does not parse or cannot be written."""


class ScoreError(ProtocolError):
    """Arrays that do not fit the terms or each other, or a score that is none."""
