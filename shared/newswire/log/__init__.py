"""The log: topics of keyed records, and the atomic step that every stage stands on.

``port`` says what a log does, ``sqlite`` does it in one file, ``kafka`` on a cluster; ``open_log`` picks by
address.
"""

from newswire.log.address import open_log
from newswire.log.port import Claim, Log, Member, Message, Record, TopicPartition, TopicSpec

__all__ = ["Claim", "Log", "Member", "Message", "Record", "TopicPartition", "TopicSpec", "open_log"]
