"""What should make somebody act: drift found, figures out of bounds."""
