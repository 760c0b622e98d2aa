"""What delivery agents and staff have done, and their roles."""

from .holding import ADDED_TO, NUMBER, STAFF, Holding

WORK = [
    Holding(
        "moves",
        "orders.TrackEvent",
        "actor",
        "track_id track_status note created_at",
        hidden="actor",
        stays={
            NUMBER: "actor",
            ADDED_TO: "note",
        },
    ),
    Holding(
        "parcels_carried",
        "orders.Parcel",
        "agent",
        "id claimed_at",
        hidden="agent",
        stays={STAFF: "agent"},
    ),
    Holding(
        "parcels_moved",
        "orders.ParcelEvent",
        "agent actor",
        "parcel_id step note created_at",
        hidden="agent actor",
        stays={
            STAFF: "agent actor",
            ADDED_TO: "note",
        },
    ),
    Holding(
        "problems_decided",
        "orders.Problem",
        "decided_by",
        "id outcome closed_at",
        hidden="decided_by",
        stays={NUMBER: "decided_by"},
    ),
    Holding(
        "pickup_points",
        "orders.PickupPoint_agents",
        "user",
        "pickuppoint_id",
        hidden="user",
        stays={STAFF: "user"},
    ),
    Holding(
        "roles", "accounts.User_groups", "user", "group__name", hidden="user", stays={STAFF: "user"}
    ),
    Holding(
        "permissions",
        "accounts.User_user_permissions",
        "user",
        "permission__codename",
        hidden="user",
        stays={STAFF: "user"},
    ),
    Holding(
        "audit",
        "accounts.Audit",
        "actor",
        "at did why object_name",
        hidden="action actor object_id changes",
        stays={STAFF: "actor did action why object_id object_name changes"},
    ),
    Holding(
        "proposals",
        "accounts.Proposal",
        "proposed_by decided_by",
        "label object_name why cost proposed_at state decided_at",
        hidden="proposed_by decided_by action object_id given",
        stays={STAFF: "proposed_by decided_by action label object_id object_name given why"},
    ),
    Holding(
        "days_of_staff",
        "accounts.StaffDay",
        "person",
        "day at_risk moved",
        hidden="person",
        stays={STAFF: "person"},
    ),
    Holding(
        "admin_log",
        "admin.LogEntry",
        "user",
        "action_time object_repr change_message",
        hidden="user object_id",
        stays={STAFF: "user object_id object_repr change_message"},
    ),
    *(
        Holding(section, model, column, "id", hidden=column, stays={STAFF: column})
        for section, model, column in (
            ("payouts_approved", "payments.Payout", "approved_by"),
            ("payouts_decided", "payments.Payout", "author"),
            ("refunds_approved", "payments.Refund", "approved_by"),
            ("refunds_decided", "payments.Refund", "author"),
            ("receipts_seen", "payments.ReceiptEvidence", "told_by"),
            ("receipt_phones_typed", "payments.Receipt", "phone_by"),
            ("share_phones_typed", "payments.SellerShare", "phone_by"),
        )
    ),
]
