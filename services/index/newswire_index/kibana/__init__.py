"""What Kibana shows: data views, searches, a map and dashboards, and how they are imported."""
