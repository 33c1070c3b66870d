"""The store in Elasticsearch: how it is reached, set up, written and searched."""
