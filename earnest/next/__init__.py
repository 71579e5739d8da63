"""What to ask next: tasks that are still open, tasks that are done, and tasks that can serve as gold."""
