"""The front door of shequn (社群): every public name, fetched from its room when it is first asked for.

``import shequn as sq`` costs next to nothing; ``sq.EventLog`` then brings in what an event log needs, and no more.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shequn import (
        admission,
        campaigns,
        content,
        funnel,
        interop,
        lifecycle,
        lifetime,
        network,
        plot,
        retention,
        rules,
        segmentation,
        sharding,
    )
    from shequn.columns import (
        Breakdown,
        EventLog,
        LogSummary,
        Memberships,
        Roster,
        RowCondition,
        memberships,
        row,
    )
    from shequn.entities import (
        OPTIMAL_SIZE,
        PASSIVE_KINDS,
        QQ_GROUP,
        WECHAT_GROUP,
        Account,
        AdmissionMode,
        AdmissionPolicy,
        Applicant,
        Campaign,
        CampaignStatus,
        CampaignTheme,
        Community,
        CommunityType,
        ContentFormat,
        ContentItem,
        ContentKind,
        ContentStatus,
        ContentSubkind,
        Event,
        EventKind,
        Goal,
        Group,
        InteractionForm,
        Invite,
        Member,
        MemberRole,
        PassphraseHash,
        Placement,
        Platform,
        Reward,
        RewardKind,
        SizeBand,
        Surface,
        Tier,
        TierLadder,
        wechat_group,
    )
    from shequn.errors import (
        InfeasibleError,
        InvalidTypeError,
        InvalidValueError,
        MisalignedError,
        MissingExtraError,
        ShequnError,
        ShequnWarning,
        UndecidedError,
        UnknownKindWarning,
        UnknownLabelError,
    )
    from shequn.funnel import (
        Exclusion,
        Funnel,
        Step,
    )
    from shequn.graph import (
        InteractionGraph,
        PartialGraph,
    )
    from shequn.labels import (
        Assignment,
        Index,
    )
    from shequn.values import (
        Band,
        Cadence,
        Calendar,
        DailyWindow,
        Dated,
        Mix,
        Money,
        QuietHours,
        Rate,
        Window,
    )

__version__ = "0.1.0"

__all__ = [
    "OPTIMAL_SIZE",
    "PASSIVE_KINDS",
    "QQ_GROUP",
    "WECHAT_GROUP",
    "Account",
    "AdmissionMode",
    "AdmissionPolicy",
    "Applicant",
    "Assignment",
    "Band",
    "Breakdown",
    "Cadence",
    "Calendar",
    "Campaign",
    "CampaignStatus",
    "CampaignTheme",
    "Community",
    "CommunityType",
    "ContentFormat",
    "ContentItem",
    "ContentKind",
    "ContentStatus",
    "ContentSubkind",
    "DailyWindow",
    "Dated",
    "Event",
    "EventKind",
    "EventLog",
    "Exclusion",
    "Funnel",
    "Goal",
    "Group",
    "Index",
    "InfeasibleError",
    "InteractionForm",
    "InteractionGraph",
    "InvalidTypeError",
    "InvalidValueError",
    "Invite",
    "LogSummary",
    "Member",
    "MemberRole",
    "Memberships",
    "MisalignedError",
    "MissingExtraError",
    "Mix",
    "Money",
    "PartialGraph",
    "PassphraseHash",
    "Placement",
    "Platform",
    "QuietHours",
    "Rate",
    "Reward",
    "RewardKind",
    "Roster",
    "RowCondition",
    "ShequnError",
    "ShequnWarning",
    "SizeBand",
    "Step",
    "Surface",
    "Tier",
    "TierLadder",
    "UndecidedError",
    "UnknownKindWarning",
    "UnknownLabelError",
    "Window",
    "admission",
    "campaigns",
    "content",
    "funnel",
    "interop",
    "lifecycle",
    "lifetime",
    "memberships",
    "network",
    "plot",
    "retention",
    "row",
    "rules",
    "segmentation",
    "sharding",
    "wechat_group",
]

# A name stands three times in this file: above for type checkers, in `__all__`, and here for the interpreter.
# tests/contract/test_front_door.py holds the three equal.
_ROOMS: tuple[str, ...] = (
    "admission",
    "campaigns",
    "content",
    "funnel",
    "interop",
    "lifecycle",
    "lifetime",
    "network",
    "plot",
    "retention",
    "rules",
    "segmentation",
    "sharding",
)
_NAMES_BY_ROOM: dict[str, tuple[str, ...]] = {
    "columns": (
        "Breakdown",
        "EventLog",
        "LogSummary",
        "Memberships",
        "Roster",
        "RowCondition",
        "memberships",
        "row",
    ),
    "entities": (
        "OPTIMAL_SIZE",
        "PASSIVE_KINDS",
        "QQ_GROUP",
        "WECHAT_GROUP",
        "Account",
        "AdmissionMode",
        "AdmissionPolicy",
        "Applicant",
        "Campaign",
        "CampaignStatus",
        "CampaignTheme",
        "Community",
        "CommunityType",
        "ContentFormat",
        "ContentItem",
        "ContentKind",
        "ContentStatus",
        "ContentSubkind",
        "Event",
        "EventKind",
        "Goal",
        "Group",
        "InteractionForm",
        "Invite",
        "Member",
        "MemberRole",
        "PassphraseHash",
        "Placement",
        "Platform",
        "Reward",
        "RewardKind",
        "SizeBand",
        "Surface",
        "Tier",
        "TierLadder",
        "wechat_group",
    ),
    "errors": (
        "InfeasibleError",
        "InvalidTypeError",
        "InvalidValueError",
        "MisalignedError",
        "MissingExtraError",
        "ShequnError",
        "ShequnWarning",
        "UndecidedError",
        "UnknownKindWarning",
        "UnknownLabelError",
    ),
    "funnel": (
        "Exclusion",
        "Funnel",
        "Step",
    ),
    "graph": (
        "InteractionGraph",
        "PartialGraph",
    ),
    "labels": (
        "Assignment",
        "Index",
    ),
    "values": (
        "Band",
        "Cadence",
        "Calendar",
        "DailyWindow",
        "Dated",
        "Mix",
        "Money",
        "QuietHours",
        "Rate",
        "Window",
    ),
}

# Hidden from type checkers: to them a module with `__getattr__` has every name one can misspell.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import the room that `name` lives in, and remember what was found."""
        if name in _ROOMS:
            return import_module(f"shequn.{name}")
        for room, names in _NAMES_BY_ROOM.items():
            if name in names:
                found = getattr(import_module(f"shequn.{room}"), name)
                globals()[name] = found
                return found
        raise AttributeError(f"module 'shequn' has no attribute {name!r}", name=name)

    def __dir__() -> list[str]:
        """List the public names, those not fetched yet included."""
        return [*__all__, "__version__"]
