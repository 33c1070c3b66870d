"""``newswire index rebuild``: new indices filled beside the old ones."""
