"""``newswire index verify``: the topic compared with the index."""
