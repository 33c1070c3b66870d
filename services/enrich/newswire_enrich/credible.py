"""Which entities that only the model saw are believed.

Measured on news with gold names: a lone capitalised word, labelled once and known to nobody, is an
organisation in one case of three, a person or place in little more than half. The capital of a sentence's
first word says nothing either, and a place in capitals is mostly a degree or a state's abbreviation.
"""

from newswire.events import EntityType
from newswire_enrich.clusters import Cluster
from newswire_enrich.tokens import Tokens


def credible(cluster: Cluster, text: Tokens) -> bool:
    """Tell whether an entity is known, named twice or by several words, or a name inside a sentence."""
    if cluster.known or len(cluster.found) > 1 or " " in cluster.found[0].text:
        return True
    one = cluster.found[0]
    if cluster.type is EntityType.ORGANISATION:
        return any(c.isupper() or c.isdigit() for c in one.text[1:])  # NSO, TikTok, G4S
    if cluster.type is EntityType.PLACE and one.text.isupper():
        return one.dateline
    return cluster.type is EntityType.GROUP or not text.opens_sentence(text.at(one.start))
