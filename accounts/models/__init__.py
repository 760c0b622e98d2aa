"""Users, their addresses, sessions and preferences, and the audit log."""

from .addresses import MAX_ADDRESSES, Address, AddressQuerySet
from .guests import Guest
from .phones import CodePurpose, PhoneCode, PhoneLogin
from .preferences import ContactCount, Language, MessagePreferences, PhoneProof
from .sessions import (
    NameClaim,
    NameClaimQuerySet,
    PasswordTries,
    Session,
    SessionKind,
    SessionQuerySet,
)
from .staff import Audit, Proposal, ProposalState, StaffDay
from .users import EMAIL_TAKEN, USERNAME_TAKEN, People, SkeletonField, User, avatar_path

__all__ = [
    "EMAIL_TAKEN",
    "MAX_ADDRESSES",
    "USERNAME_TAKEN",
    "Address",
    "AddressQuerySet",
    "Audit",
    "CodePurpose",
    "ContactCount",
    "Guest",
    "Language",
    "MessagePreferences",
    "NameClaim",
    "NameClaimQuerySet",
    "PasswordTries",
    "People",
    "PhoneCode",
    "PhoneLogin",
    "PhoneProof",
    "Proposal",
    "ProposalState",
    "Session",
    "SessionKind",
    "SessionQuerySet",
    "SkeletonField",
    "StaffDay",
    "User",
    "avatar_path",
]
