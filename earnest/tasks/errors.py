"""What can be wrong with a file of tasks."""


class TaskError(ValueError):
    """A file of tasks that cannot be used; the message names row and column, and what would be right."""
