"""Better masks out of weak ones: preparing small hand-labelled sets, and merging predictions with boxes."""
