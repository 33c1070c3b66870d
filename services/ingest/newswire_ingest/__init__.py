"""The ingest service: polls feeds, fetches pages, extracts articles."""
