"""What can happen to a decision afterwards: halted, reversed, what really happened, a complaint."""
