"""Where the numbers, pictures and files of a training go: one interface, many places, several at once.

Nothing heavy is loaded before a writer is built.
"""
