"""Rows of arrays that all processes of a machine share: made once by whoever needs them first, kept on disk, read through one memory."""
