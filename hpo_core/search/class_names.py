"""What people of a class are called and known by: names, short codes, and tokens that nobody guesses."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata

from hpo_core.errors import UsageError

MOST_LETTERS = 30
_CODE_LETTERS, _CODE_LENGTH = "23456789BCDFGHJKMNPQRTVWXY", 5  # none that are taken for each other, and no words


def new_code() -> str:
    """A code to be read aloud and typed; one of twelve million."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))


def parsed_code(text: str) -> str:
    """The code that somebody typed, in whatever case and with spaces or dashes.

    >>> parsed_code(" k7q-x2 ")
    'K7QX2'
    """
    return "".join(letter for letter in text.upper() if letter.isalnum())[:_CODE_LENGTH]


def new_token() -> str:
    """What stands in an address and proves who somebody is: 128 bits of chance."""
    return secrets.token_urlsafe(16)


def digest(token: str) -> str:
    """What is kept of a token: who reads the storage cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def checked_name(text: str) -> str:
    """A name as it is shown: spaces at the ends are dropped, several within become one.

    Raises:
        UsageError: It is empty, too long, or holds what cannot be seen.

    >>> checked_name("  Ada   Lovelace ")
    'Ada Lovelace'
    """
    name = " ".join(part for part in unicodedata.normalize("NFC", text).split(" ") if part)
    if len(name) > MOST_LETTERS:
        raise UsageError(f"A name has at most {MOST_LETTERS} characters; got {len(name)}. Shorten it.")
    if not name.isprintable():
        raise UsageError("This name holds characters that cannot be seen, such as line breaks. Type it anew.")
    if not any(letter.isalnum() for letter in name):
        raise UsageError("A name needs a letter or a digit at least. Type one.")
    return name


def name_key(name: str) -> str:
    """What two names have in common that count as the same: without case, and without differences of form only.

    >>> name_key("ADA") == name_key("Ａda")
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
