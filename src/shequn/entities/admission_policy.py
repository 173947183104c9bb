"""Who may come in: by which rule a group admits, who asks, and by whose invitation (外严)."""

from __future__ import annotations

import hashlib
import hmac
import sys
from datetime import datetime  # noqa: TC003  (who resolves the annotations of a record finds them)
from unicodedata import normalize

import attrs

from shequn._doors import Doors
from shequn.entities._fields import aware, label, number
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import whole
from shequn.values.instants import instant_us

__all__ = ["AdmissionMode", "AdmissionPolicy", "Applicant", "Invite", "PassphraseHash"]

_SHORTEST_SALT = 8
_DIGEST_BYTES = 32
_BLOCK = 8


class AdmissionMode(Taxonomy):
    """How a group decides who comes in (入群方式).

    References
    ----------
    S1 §四(二), row T14 of the domain table.

    Examples
    --------
    >>> AdmissionMode.from_label("暗号"), AdmissionMode.APPROVAL.zh
    (<AdmissionMode.PASSPHRASE: 'passphrase'>, '准入制')
    """

    OPEN = "open", "公开", "open"
    APPROVAL = "approval", "准入制", "approval", "审核"
    INVITATION = "invitation", "邀请制", "invitation"
    PASSPHRASE = "passphrase", "入群暗号", "passphrase", "暗号"


# --- the passphrase ---


def _salt(salt: bytes) -> bytes:
    if not isinstance(salt, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("salt", "bytes", type(salt).__name__))
    if len(salt) < _SHORTEST_SALT:
        raise InvalidValueError(message("salt", f"at least {_SHORTEST_SALT} bytes", f"{len(salt)} bytes"))
    return salt


def _digest(digest: bytes) -> bytes:
    if not isinstance(digest, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("digest", "bytes", type(digest).__name__))
    if len(digest) != _DIGEST_BYTES:
        raise InvalidValueError(message("digest", f"{_DIGEST_BYTES} bytes", f"{len(digest)} bytes"))
    return digest


def _cost(cost: int) -> int:
    doublings = whole("cost", cost)
    if not 1 <= doublings <= 20:  # noqa: PLR2004
        raise InvalidValueError(message("cost", "1 to 20 doublings", cost))
    return doublings


@attrs.frozen(kw_only=True, repr=False)
class PassphraseHash(Doors):
    """A passphrase (暗号) that can be checked and not read: made by `PassphraseHash.of`, kept as salt and digest.

    Parameters
    ----------
    salt : bytes
        At least 8, other ones for each passphrase.
    digest : bytes
        The 32 of scrypt.
    cost : int, default 14
        Doublings of the work that one hash takes; 14 is some 50 ms and 16 MiB.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used.

    Notes
    -----
    The digest is scrypt of the UTF-8 of the passphrase in Unicode normal form C, with N = 2**cost, r = 8, p = 1. The
    salt is an argument, since the library draws nothing at random behind one's back: take ``os.urandom(16)``.

    References
    ----------
    Percival, C. and Josefsson, S. (2016). The scrypt password-based key derivation function. RFC 7914.
    https://www.rfc-editor.org/rfc/rfc7914

    Examples
    --------
    >>> kept = PassphraseHash.of("芝麻开门", salt=b"16 random bytes.", cost=4)
    >>> kept, kept.matches("芝麻开门"), kept.matches("芝麻关门")
    (PassphraseHash(cost=4), True, False)
    """

    salt: bytes = attrs.field(converter=_salt)
    digest: bytes = attrs.field(converter=_digest)
    cost: int = attrs.field(default=14, converter=_cost)

    @classmethod
    def of(cls, passphrase: str, /, *, salt: bytes, cost: int = 14) -> PassphraseHash:
        """Hash a passphrase.

        Parameters
        ----------
        passphrase : str
            Not blank.
        salt : bytes
            At least 8 random ones.
        cost : int, default 14
            Doublings of the work.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            An argument has a type or value that cannot be used; the passphrase is never shown.

        Examples
        --------
        >>> PassphraseHash.of("cafe\u0301", salt=b"8 bytes.", cost=4).matches("caf\u00e9")
        True
        """
        _require_text("passphrase", passphrase)
        if not passphrase or passphrase.isspace():
            raise InvalidValueError(message("passphrase", "a non-empty str", "a blank one"))
        checked, doublings = _salt(salt), _cost(cost)
        return cls(salt=checked, digest=_hashed(passphrase, checked, doublings), cost=doublings)

    def matches(self, candidate: str, /) -> bool:
        """Return whether a text is the passphrase; the comparison takes equally long wherever the two differ.

        Raises
        ------
        InvalidTypeError
            `candidate` is no str.

        Examples
        --------
        >>> PassphraseHash.of("芝麻开门", salt=b"8 bytes.", cost=4).matches("")
        False
        """
        _require_text("candidate", candidate)
        return hmac.compare_digest(self.digest, _hashed(candidate, self.salt, self.cost))

    def __repr__(self) -> str:
        """Show neither salt nor digest."""
        return f"PassphraseHash(cost={self.cost})"


def _require_text(argument: str, value: object) -> None:
    # Not through `message` with the value: what was meant to be secret would stand in a traceback.
    if not isinstance(value, str):
        raise InvalidTypeError(message(argument, "a str", f"something of type {type(value).__name__}"))


def _hashed(passphrase: str, salt: bytes, cost: int) -> bytes:
    given = normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    n = 1 << cost
    most = 256 * _BLOCK * n + (1 << 20)
    return hashlib.scrypt(given, salt=salt, n=n, r=_BLOCK, p=1, maxmem=most, dklen=_DIGEST_BYTES)


# --- the policy ---


def _mode(mode: AdmissionMode | str) -> AdmissionMode:
    return AdmissionMode.from_label(mode, argument="mode")


def _passphrase_hash(passphrase: PassphraseHash | None) -> PassphraseHash | None:
    if passphrase is not None and not isinstance(passphrase, PassphraseHash):  # pyright: ignore[reportUnnecessaryIsInstance]
        expected = "a PassphraseHash, as PassphraseHash.of makes it"
        raise InvalidTypeError(message("passphrase", expected, f"something of type {type(passphrase).__name__}"))
    return passphrase


def _finite(argument: str, value: float) -> float:
    given = number(argument, value)
    if not abs(given) <= sys.float_info.max:  # an integer that no float holds is as good as infinite
        raise InvalidValueError(message(argument, "a finite number", value))
    return given


def _min_score(min_score: float | None) -> float | None:
    return None if min_score is None else _finite("min_score", min_score)


def _cap(cap: int | None) -> int | None:
    return None if cap is None else _at_least("cap", cap, 1)


def _quota(quota_per_inviter: int | None) -> int | None:
    return None if quota_per_inviter is None else _at_least("quota_per_inviter", quota_per_inviter, 0)


def _at_least(argument: str, value: object, least: int) -> int:
    given = whole(argument, value)
    if given < least:
        raise InvalidValueError(message(argument, f"{least} or more", value))
    return given


@attrs.frozen(kw_only=True)
class AdmissionPolicy(Doors):
    """By which rule a group admits (外严): open to all, by approval, by invitation, or by passphrase.

    Parameters
    ----------
    mode : AdmissionMode or str, default "open"
        The rule; its code or one of its names.
    passphrase : PassphraseHash, optional
        In mode "passphrase", which needs it: what has to be offered.
    min_score : int or float, optional
        Score that an applicant's answers must reach. In mode "approval" it decides where nobody has.
    cap : int, optional
        Most members that are let in, where that is fewer than the platform allows.
    quota_per_inviter : int, optional
        In mode "invitation": how many people each may bring; any number by default.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used, the mode lacks its own field, or a field is of another mode.
    UnknownLabelError
        `mode` names no mode.

    References
    ----------
    S1 §四(二), row A1 of the domain table.

    Examples
    --------
    >>> AdmissionPolicy(mode="邀请制", quota_per_inviter=3, cap=200)
    AdmissionPolicy(mode=<AdmissionMode.INVITATION: 'invitation'>, passphrase=None, min_score=None, cap=200,
    quota_per_inviter=3)
    """

    mode: AdmissionMode = attrs.field(default=AdmissionMode.OPEN, converter=_mode)
    passphrase: PassphraseHash | None = attrs.field(default=None, converter=_passphrase_hash)
    min_score: float | None = attrs.field(default=None, converter=_min_score)
    cap: int | None = attrs.field(default=None, converter=_cap)
    quota_per_inviter: int | None = attrs.field(default=None, converter=_quota)

    def __attrs_post_init__(self) -> None:
        """Check that the mode has its own field, and none of another mode."""
        by_passphrase = self.mode is AdmissionMode.PASSPHRASE
        if by_passphrase != (self.passphrase is not None):
            expected = "a PassphraseHash in mode 'passphrase'" if by_passphrase else "None in any other mode"
            raise InvalidValueError(message("passphrase", expected, self.passphrase))
        if self.quota_per_inviter is not None and self.mode is not AdmissionMode.INVITATION:
            expected = "None in any mode but 'invitation'"
            raise InvalidValueError(message("quota_per_inviter", expected, self.quota_per_inviter))


# --- who asks, and by whose invitation ---


def _id(id: str | int) -> str | int:  # noqa: A002  (the name of the field)
    return label("id", id)


def _at(at: datetime) -> datetime:
    return aware("at", at)


def _score(score: float | None) -> float | None:
    return None if score is None else _finite("score", score)


def _offered(passphrase: str | None) -> str | None:
    if passphrase is not None:
        _require_text("passphrase", passphrase)
    return passphrase


def _invited_by(invited_by: str | int | None) -> str | int | None:
    return None if invited_by is None else label("invited_by", invited_by)


def _invite(invite: str | int | None) -> str | int | None:
    return None if invite is None else label("invite", invite)


def _approved(approved: bool | None) -> bool | None:
    if approved is not None and not isinstance(approved, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("approved", "True, False or None", approved))
    return approved


@attrs.frozen(kw_only=True)
class Applicant(Doors):
    """Who asks to come in, and with what (申请人).

    Parameters
    ----------
    id : str or int
        Id they would have as a member.
    at : datetime
        For when it is to be decided: when they applied, or when somebody approved; aware.
    score : int or float, optional
        What their answers are worth.
    passphrase : str, optional
        What they offered; not shown.
    invited_by : str or int, optional
        Id of who brought them.
    invite : str or int, optional
        Code of the `Invite` they hold.
    approved : bool, optional
        What somebody decided; None while nobody has.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> Applicant(id="ann", at=datetime(2024, 5, 1, tzinfo=UTC), passphrase="芝麻开门").score is None
    True
    """

    id: str | int = attrs.field(converter=_id)
    at: datetime = attrs.field(converter=_at, eq=instant_us)
    score: float | None = attrs.field(default=None, converter=_score)
    passphrase: str | None = attrs.field(default=None, converter=_offered, repr=False)
    invited_by: str | int | None = attrs.field(default=None, converter=_invited_by)
    invite: str | int | None = attrs.field(default=None, converter=_invite)
    approved: bool | None = attrs.field(default=None, converter=_approved)


def _code(code: str | int) -> str | int:
    return label("code", code)


def _by(by: str | int) -> str | int:
    return label("by", by)


def _issued(issued: datetime) -> datetime:
    return aware("issued", issued)


def _expires(expires: datetime | None) -> datetime | None:
    return None if expires is None else aware("expires", expires)


def _used_by(used_by: str | int | None) -> str | int | None:
    return None if used_by is None else label("used_by", used_by)


def _used(used: datetime | None) -> datetime | None:
    return None if used is None else aware("used", used)


@attrs.frozen(kw_only=True)
class Invite(Doors):
    """An invitation that one person can use once (邀请码).

    Parameters
    ----------
    code : str or int
        What is handed over.
    by : str or int
        Id of who invites.
    issued : datetime
        From when it holds; aware.
    expires : datetime, optional
        From when it no longer holds, after `issued`; never by default.
    used_by, used : str or int, and datetime, optional
        Who used it and when; both or neither, from `issued` on and no later than `expires`.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used, or two contradict each other.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> invite = Invite(code="7F3K", by="ann", issued=datetime(2024, 5, 1, tzinfo=UTC))
    >>> invite.is_open(datetime(2024, 5, 2, tzinfo=UTC))
    True
    """

    code: str | int = attrs.field(converter=_code)
    by: str | int = attrs.field(converter=_by)
    issued: datetime = attrs.field(converter=_issued)
    expires: datetime | None = attrs.field(default=None, converter=_expires)
    used_by: str | int | None = attrs.field(default=None, converter=_used_by)
    used: datetime | None = attrs.field(default=None, converter=_used)

    def __attrs_post_init__(self) -> None:
        """Check what the fields say of each other."""
        if self.expires is not None and instant_us(self.expires) <= instant_us(self.issued):
            raise InvalidValueError(message("expires", f"an instant after issued ({self.issued})", self.expires))
        if (self.used_by is None) != (self.used is None):
            raise InvalidValueError(message("used", "who used it and when, or neither", (self.used_by, self.used)))
        if self.used is None:
            return
        if instant_us(self.used) < instant_us(self.issued):
            raise InvalidValueError(message("used", f"an instant from issued ({self.issued}) on", self.used))
        if self.expires is not None and instant_us(self.used) > instant_us(self.expires):
            raise InvalidValueError(message("used", f"an instant no later than expires ({self.expires})", self.used))

    def is_open(self, as_of: datetime, /) -> bool:
        """Return whether the invitation can be used: issued, not expired, and nobody has used it by then.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `as_of` is no aware datetime.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> first, second = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC)
        >>> Invite(code=1, by="ann", issued=first, expires=second).is_open(second)
        False
        """
        at_us = instant_us(as_of, argument="as_of")
        began = instant_us(self.issued) <= at_us
        goes_on = self.expires is None or at_us < instant_us(self.expires)
        return began and goes_on and (self.used is None or at_us < instant_us(self.used))
