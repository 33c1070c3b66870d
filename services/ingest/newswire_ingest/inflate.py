"""Decompression of an answer's body, piece by piece: a bomb is stopped at the limit and not after it."""

import zlib

from newswire.events import Reason
from newswire_ingest.fetched import FetchError

ACCEPTED = "gzip, deflate"
GZIP_WINDOW = 16 + zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b"
PIECE_LENGTH = 262_144  # bytes decompressed at a time

_REFUSED = frozenset({"br", "zstd", "compress", "bzip2", "lzma", "xz", "dcb", "dcz", "exi"})


class Body:
    """A body that grows up to a limit, decompressed on the way."""

    def __init__(self, content_encoding: str, max_bytes: int, host: str) -> None:
        """Choose the decompression; raises ``FetchError`` for one that was not asked for."""
        self._codings = _codings(content_encoding, host)
        self._max_bytes = max_bytes
        self._host = host
        self._inflater: zlib._Decompress | None = None
        self._pieces: list[bytes] = []
        self._length = 0
        self._head = b""

    def feed(self, data: bytes) -> None:
        """Add bytes from the wire; raises ``FetchError`` when the limit is passed or the bytes are bad."""
        if not self._codings:
            self._keep(data)
            return
        try:
            self._inflate(data)
        except zlib.error as error:
            raise self._bad(str(error)) from error

    def close(self) -> bytes:
        """Return the whole body; raises ``FetchError`` if its compressed form is not complete."""
        if self._head or (self._inflater is not None and not self._inflater.eof):
            raise self._bad("it ends too early")
        return b"".join(self._pieces)

    def _inflate(self, data: bytes) -> None:
        if self._inflater is None:
            self._head += data
            if len(self._head) < len(GZIP_MAGIC):
                return  # the kind of deflate shows in two bytes
            data, self._head = self._head, b""
            self._inflater = zlib.decompressobj(self._window(data))
        is_full = False
        while data or is_full:
            if self._inflater.eof:
                if not data.startswith(GZIP_MAGIC):
                    return  # padding after the end
                self._inflater = zlib.decompressobj(GZIP_WINDOW)  # gzip may have several members
            piece = self._inflater.decompress(data, PIECE_LENGTH)
            self._keep(piece)
            data = self._inflater.unconsumed_tail or self._inflater.unused_data
            is_full = len(piece) == PIECE_LENGTH  # more may wait inside, with no input left

    def _window(self, start: bytes) -> int:
        """Return what zlib must expect: servers send deflate with and without zlib's own header."""
        if self._codings == "gzip":
            return GZIP_WINDOW
        has_header = start[0] & 0x0F == zlib.DEFLATED and int.from_bytes(start[:2]) % 31 == 0
        return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS

    def _keep(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length > self._max_bytes:
            raise FetchError(
                Reason.TOO_LARGE, f"the answer of {self._host} has more than {self._max_bytes:,} bytes"
            )
        self._pieces.append(piece)

    def _bad(self, why: str) -> FetchError:
        message = f"the compressed answer of {self._host} cannot be read: {why}"
        return FetchError(Reason.BAD_ENCODING, message, temporary=True)


def _codings(content_encoding: str, host: str) -> str:
    """Return the one coding of a body, empty for none; words that are no coding are passed over."""
    tokens = [token.strip().lower().removeprefix("x-") for token in content_encoding.split(",")]
    known = [token for token in tokens if token in {"gzip", "deflate"} | _REFUSED]
    if len(known) > 1 or any(token in _REFUSED for token in known):
        message = f"{host} answers in an encoding that was not asked for: {content_encoding[:60]}"
        raise FetchError(Reason.BAD_ENCODING, message)
    return known[0] if known else ""
