"""A place in an object store, or a folder that is used like one: put, look, read back, sign.

The one importer of obstore; its errors end here as StoreTrouble.  Credentials are found by obstore as the
stores' own programs find them, in the environment (``AWS_*``, ``GOOGLE_*``, ``AZURE_*``) or from the machine
it runs on: none is part of a place's name, so none can get into a ledger or a log.
"""

from __future__ import annotations

import hashlib
import os
import re
from datetime import timedelta
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from .errors import BatchrunnerError, Exit, Usage
from .hosts import is_local_origin
from .names import printable

if TYPE_CHECKING:
    from obstore.store import ObjectStore

REMOTE: Final = ("s3", "gs", "az")
FOLDER: Final = "file"

ENDPOINTS: Final = {
    "s3": ("AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    "gs": (),
}
"""Where the environment names another server than the provider's own."""

CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY",
}
"""Where people mostly have them; obstore knows more ways."""

METADATA_HOSTS: Final = ("169.254.169.254", "metadata.google.internal")
"""What obstore asks for credentials where the environment has none: a machine of the provider's has some."""

PART_BYTES: Final = 8 << 20
"""Larger objects go up in parts of this length; S3 takes 10,000 of them."""

PARTS_AT_ONCE: Final = 4

MAX_RETRIES: Final = 6
RETRY_S: Final = 120.0
"""How often, and how long, obstore itself tries a request again; all of them may be repeated safely."""

SHA256: Final = "sha256"
"""The name under which an object's metadata hold the hash of its bytes."""

MEDIA_TYPES: Final = {
    ".mp4": "video/mp4", ".webm": "video/webm", ".mkv": "video/x-matroska", ".mov": "video/quicktime",
    ".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
    ".bmp": "image/bmp", ".tif": "image/tiff", ".avif": "image/avif", ".heic": "image/heic",
    ".heif": "image/heif", ".wav": "audio/wav", ".mp3": "audio/mpeg",
}  # fmt: skip


_PLAIN: Final = re.compile(r"[A-Za-z0-9._~/-]+")


class StoreTrouble(BatchrunnerError):
    """An object store (or the folder used as one) does not do what it was asked for."""

    exit_code = Exit.DISK


class Place(Struct, frozen=True, kw_only=True):
    """Where objects go: a bucket (a container, the root of a file system) and what their names begin with."""

    scheme: str
    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix}".rstrip("/")

    def url_of(self, name: str) -> str:
        return f"{self}/{name}"


class Found(Struct, frozen=True, kw_only=True):
    """An object as a look at it shows it."""

    size_bytes: int
    sha256: str | None
    """What its metadata say its hash is; None where they say nothing."""


def parse_place(url: str, flag: str, schemes: tuple[str, ...] = REMOTE) -> Place:
    """Return the place that *url*, given by *flag*, names.  Raises Usage."""
    example = f"such as {flag} s3://BUCKET/PREFIX"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Usage(f"{flag}: not an address", hint=example) from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Usage(
            f"{flag}: an address without user, password, ? and # is meant",
            hint="credentials come from the environment, such as AWS_ACCESS_KEY_ID",
        )
    is_folder = parts.scheme == FOLDER and not parts.netloc and parts.path.startswith("/")
    if parts.scheme not in schemes or not (parts.netloc or is_folder):
        known = ", ".join(f"{scheme}://" for scheme in schemes)
        raise Usage(f"{flag}: {printable(url, 80)} names no place in a store ({known})", hint=example)
    return Place(scheme=parts.scheme, bucket=parts.netloc, prefix=parts.path.strip("/"))


def split_url(url: str) -> tuple[Place, str]:
    """Return the root of an object's store, and the object's whole name, by the URL that `url_of` made."""
    scheme, _, rest = url.partition("://")
    bucket, _, name = rest.partition("/")
    return Place(scheme=scheme, bucket=bucket, prefix=""), name


class Bucket:
    """One place, opened.  Nothing is sent before the first call."""

    def __init__(self, place: Place) -> None:
        """Raises Usage where obstore is not installed, StoreTrouble where the place cannot be opened."""
        try:
            from obstore.exceptions import BaseError
        except ImportError:
            raise Usage("an object store needs obstore", hint="pip install 'batchrunner[store]'") from None
        self.place = place
        self._errors: tuple[type[Exception], ...] = (BaseError, OSError, ValueError, NotImplementedError)
        try:
            self._store = _opened(place)
        except self._errors as error:
            raise self._trouble("cannot be opened", error) from None

    async def look(self, name: str) -> Found | None:
        """Return what stands under *name*, None where nothing does."""
        import obstore

        try:
            found = await obstore.get_async(self._store, self._key(name), options={"head": True})
        except FileNotFoundError:
            return None
        except self._errors as error:
            if _may_not_look(error):
                return None  # who may not list is told "forbidden" of what is not there
            raise self._trouble("cannot be looked into", error) from None
        said = found.attributes.get(SHA256)
        return Found(size_bytes=found.meta["size"], sha256=None if said is None else str(said))

    async def put(self, name: str, content: bytes | Path, *, sha256: str) -> None:
        """Put *content* there in the place of whatever stands there, whole or not at all."""
        import obstore

        attributes: Any = None
        if self.place.scheme != FOLDER:  # a folder has no metadata
            kind = MEDIA_TYPES.get(PurePath(name).suffix.lower(), "application/octet-stream")
            attributes = {"Content-Type": kind, SHA256: sha256}
        try:
            await obstore.put_async(
                self._store,
                self._key(name),
                content,
                attributes=attributes,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        except self._errors as error:
            raise self._trouble("does not take what is put there", error) from None

    async def hash_of(self, name: str) -> str | None:
        """Return the SHA-256 of an object's bytes, read back to the last; None where there is none."""
        import obstore

        digest = hashlib.sha256()
        try:
            found = await obstore.get_async(self._store, self._key(name))
            async for chunk in found.stream(min_chunk_size=1 << 20):
                digest.update(chunk)
        except FileNotFoundError:
            return None
        except self._errors as error:
            raise self._trouble("does not give back what was put there", error) from None
        return digest.hexdigest()

    async def sign(self, name: str, life: timedelta) -> str:
        """Return an address at which anybody may read the object for as long as *life*."""
        import obstore

        self._check_signable(name)
        try:
            return str(await obstore.sign_async(self._store, "GET", self._key(name), life))  # type: ignore[call-overload]
        except self._errors as error:
            raise self._trouble("gives no addresses to read from", error) from None

    def sign_at_once(self, name: str, life: timedelta) -> str:
        """Do as `sign`, where there is no event loop."""
        import obstore

        self._check_signable(name)
        try:
            return str(obstore.sign(self._store, "GET", self._key(name), life))  # type: ignore[call-overload]
        except self._errors as error:
            raise self._trouble("gives no addresses to read from", error) from None

    def _check_signable(self, name: str) -> None:
        """Raise StoreTrouble for a name whose address would open nothing.

        obstore 0.12 signs Azure's names percent-encoded, Azure decoded ones: found with Azurite 3.
        """
        if self.place.scheme == "az" and not _PLAIN.fullmatch(self._key(name)):
            raise StoreTrouble(
                f"{self.place.url_of(name)}: on Azure, addresses are signed for plain names only",
                hint="names of ASCII letters, digits and . _ ~ - / work, prefix included",
            )

    def _key(self, name: str) -> str:
        return f"{self.place.prefix}/{name}" if self.place.prefix else name

    def _trouble(self, what: str, error: Exception) -> StoreTrouble:
        """Return *error* in one line; what follows the first is obstore's own debugging."""
        why = printable(" ".join(str(error).partition("\n\nDebug")[0].split()), 400)
        named = CREDENTIALS.get(self.place.scheme, "")
        if any(host in why for host in METADATA_HOSTS):
            why = "there are no credentials, neither in the environment nor from the machine"
        hint = f"check its name and the credentials in the environment ({named})"
        if self.place.scheme == FOLDER:
            hint = "check that it can be written to"
        return StoreTrouble(f"{self.place} {what}: {why}", hint=f"{hint}, then run the same command")


def _opened(place: Place) -> ObjectStore:
    from obstore.store import LocalStore, from_url

    if place.scheme == FOLDER:
        return LocalStore("/", mkdir=True)
    options: Any = {"allow_http": True} if _is_emulated(place) else {}
    again: Any = {"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=RETRY_S)}
    return from_url(f"{place.scheme}://{place.bucket}", client_options=options, retry_config=again)


def _is_emulated(place: Place) -> bool:
    """Return whether the store is a program on this machine, which needs no TLS."""
    named = (os.environ.get(name, "") for name in ENDPOINTS[place.scheme])
    return any(endpoint.startswith("http://") and is_local_origin(endpoint) for endpoint in named)


def _may_not_look(error: Exception) -> bool:
    from obstore.exceptions import PermissionDeniedError

    return isinstance(error, PermissionDeniedError)
