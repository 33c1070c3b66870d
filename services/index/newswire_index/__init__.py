"""The index service: enriched articles in a store, and the search over it."""
