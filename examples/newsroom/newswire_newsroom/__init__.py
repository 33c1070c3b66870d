"""A small offline news world: outlets, feeds and pages on loopback, made to show and test Newswire."""
