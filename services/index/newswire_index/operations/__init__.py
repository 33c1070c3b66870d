"""Feed status, outcomes and dead letters in Elasticsearch, for dashboards."""
