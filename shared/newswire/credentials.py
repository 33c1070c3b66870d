"""Passwords and keys from a variable or a file, and what belongs together with them."""

from pathlib import Path

from pydantic import SecretStr

from newswire.errors import SettingsError


def check_log_in(
    prefix: str, username: str | None, password: SecretStr | None, password_file: Path | None
) -> None:
    """Raise a ValueError, which holds no secret, for half a log-in or one given twice.

    Args:
        prefix: of the variables, such as ``NEWSWIRE_KAFKA_``.
        username: to log in with.
        password: of the user.
        password_file: file with the password.
    """
    if password is not None and password_file is not None:
        raise ValueError(f"give {prefix}PASSWORD or {prefix}PASSWORD_FILE, not both")
    if (username is None) != (password is None and password_file is None):
        raise ValueError(f"{prefix}USERNAME and a password (or its file) belong together")


def secret_from(variable: str, given: SecretStr | None, file: Path | None) -> str | None:
    """Return a secret, from its file if it is in one; raises SettingsError, which holds no secret.

    Args:
        variable: the name of the variable that holds it, without ``_FILE``.
        given: what it holds.
        file: what the one with ``_FILE`` holds.
    """
    if file is None:
        return given.get_secret_value() if given is not None else None
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}_FILE cannot be read: {error}") from error
    if not secret:
        raise SettingsError(f"{variable}_FILE: {file} is empty")
    return secret
