"""The enrich service: language, entities and topics of an article, and who owns it."""
