"""The text form of programs and of signatures."""
