"""Every error that Newswire raises on purpose.

NewswireError                 said to the user in one line
├── SettingsError             a setting, rule file or feed list is wrong: the start stops
├── UnavailableError          a dependency is down: wait, never dead-letter
├── FencedError               somebody else owns the partition now: let go of it
├── CacheBrokenError          a cache file is damaged: the process ends, the next one makes it again
├── MovedError                a topic moved on while a verdict rested on it: decide again
└── ItemError                 an item failed by itself; carries its ``reason``
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


class FencedError(NewswireError):
    """The claim on a partition was lost to another process."""


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


class ChildDiedError(ItemError):
    """An item killed its child process twice, or ran into a limit."""


class ItemFailedError(ItemError):
    """The function that a child process runs raised on an item."""
