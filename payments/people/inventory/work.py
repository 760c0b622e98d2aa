"""What delivery agents and staff have done, and their roles."""

from .personal_data import ADDED_TO, NUMBER, STAFF, PersonalData

WORK = [
    PersonalData(
        "moves",
        "orders.TrackEvent",
        "actor",
        "track_id track_status note created_at",
        hidden="actor",
        retained={
            NUMBER: "actor",
            ADDED_TO: "note",
        },
    ),
    PersonalData(
        "parcels_carried",
        "orders.Parcel",
        "agent",
        "id claimed_at",
        hidden="agent",
        retained={STAFF: "agent"},
    ),
    PersonalData(
        "parcels_moved",
        "orders.ParcelEvent",
        "agent actor",
        "parcel_id step note created_at",
        hidden="agent actor",
        retained={
            STAFF: "agent actor",
            ADDED_TO: "note",
        },
    ),
    PersonalData(
        "problems_decided",
        "orders.Problem",
        "decided_by",
        "id outcome closed_at",
        hidden="decided_by",
        retained={NUMBER: "decided_by"},
    ),
    PersonalData(
        "pickup_points",
        "orders.PickupPoint_agents",
        "user",
        "pickuppoint_id",
        hidden="user",
        retained={STAFF: "user"},
    ),
    PersonalData(
        "roles",
        "accounts.User_groups",
        "user",
        "group__name",
        hidden="user",
        retained={STAFF: "user"},
    ),
    PersonalData(
        "permissions",
        "accounts.User_user_permissions",
        "user",
        "permission__codename",
        hidden="user",
        retained={STAFF: "user"},
    ),
    PersonalData(
        "audit",
        "accounts.Audit",
        "actor",
        "at did why object_name",
        hidden="action actor object_id changes",
        retained={STAFF: "actor did action why object_id object_name changes"},
    ),
    PersonalData(
        "proposals",
        "accounts.Proposal",
        "proposed_by decided_by",
        "label object_name why cost proposed_at state decided_at",
        hidden="proposed_by decided_by action object_id given",
        retained={STAFF: "proposed_by decided_by action label object_id object_name given why"},
    ),
    PersonalData(
        "days_of_staff",
        "accounts.StaffDay",
        "person",
        "day at_risk moved",
        hidden="person",
        retained={STAFF: "person"},
    ),
    PersonalData(
        "admin_log",
        "admin.LogEntry",
        "user",
        "action_time object_repr change_message",
        hidden="user object_id",
        retained={STAFF: "user object_id object_repr change_message"},
    ),
    *(
        PersonalData(section, model, column, "id", hidden=column, retained={STAFF: column})
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
