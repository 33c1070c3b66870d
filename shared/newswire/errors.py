"""Every error that Newswire raises on purpose.

NewswireError                 said to the user in one line
├── SettingsError             a setting, rule file or feed list is wrong: the start stops
├── UnavailableError          a dependency is down: wait, never dead-letter
│   └── LogUnavailableError   the log itself is, which says so once for all who wait
├── FencedError               somebody else owns the partition now: let go of it
│   └── ClaimBrokenError      a step ended nobody knows how: the claim is taken anew
├── CacheBrokenError          a cache file is damaged: the process ends, the next one makes it again
├── MovedError                a topic moved on while a verdict rested on it: decide again
└── ItemError                 an item failed by itself; carries its ``reason``
    ├── MessageTooLargeError  what it led to is larger than the log takes
    ├── ChildDiedError        it killed or outran its child process
    └── ItemFailedError       the function in the child raised
"""

from newswire.events import Reason


class NewswireError(Exception):
    """The root of all our errors; its text is one line for a person."""


class SettingsError(NewswireError):
    """A setting or a file that the start needs is wrong."""


class UnavailableError(NewswireError):
    """A dependency is down; what was asked may be asked again."""


class LogUnavailableError(UnavailableError):
    """The log is away; its adapter says so in one line, so nobody else has to."""


class FencedError(NewswireError):
    """The claim on a partition was lost to another process."""


class ClaimBrokenError(FencedError):
    """A step may or may not have happened; whoever takes the claim next reads what did."""


class CacheBrokenError(NewswireError):
    """A cache file of a table is damaged; it has been removed, and a restart makes it again."""


class MovedError(NewswireError):
    """A topic on which a verdict rested has grown in the meantime."""


class ItemError(NewswireError):
    """One item cannot be handled, whatever else goes on."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the reason beside the message."""
        super().__init__(message)
        self.reason = reason


class MessageTooLargeError(ItemError):
    """A message is larger than the log takes."""

    def __init__(self, message: str) -> None:
        """The reason is always the size."""
        super().__init__(Reason.TOO_LARGE, message)


class ChildDiedError(ItemError):
    """An item killed its child process twice, or ran into a limit."""


class ItemFailedError(ItemError):
    """The function that a child process runs raised on an item."""
