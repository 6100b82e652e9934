"""The command line: words in, one call, an answer for people or for programs."""
