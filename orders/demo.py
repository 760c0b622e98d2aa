"""Pick-up points and delivery rates of the demo shop."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.models import User

from .models import DeliveryRate, DeliveryWay, PickupPoint

#: Name, county, area, directions, opening hours, phone.
POINTS = (
    (
        "Kilimani Pick-up",
        "nairobi",
        "Argwings Kodhek Road",
        "Ground floor of Yaya Annex, beside the chemist",
        "Mon–Sat 8:00–19:00",
        "254711000101",
    ),
    (
        "Moi Avenue Pick-up",
        "nairobi",
        "Moi Avenue, Bihi Towers",
        "Basement shop 7, down the ramp",
        "Mon–Sat 7:30–20:00, Sun 10:00–16:00",
        "254711000102",
    ),
    (
        "Nyali Pick-up",
        "mombasa",
        "Links Road",
        "Behind the petrol station, green container",
        "Mon–Sat 8:30–18:30",
        "254711000103",
    ),
    (
        "Kisumu Oginga Odinga Pick-up",
        "kisumu",
        "Oginga Odinga Street",
        "Next to the old post office",
        "Mon–Sat 8:00–18:00",
        "254711000104",
    ),
    (
        "Eldoret Uganda Road Pick-up",
        "uasin_gishu",
        "Uganda Road, Zion Mall",
        "First floor, opposite the lifts",
        "Mon–Sat 9:00–18:00",
        "254711000105",
    ),
)
#: Way, county ("": everywhere else), KES, days, free from KES. Some counties have no home delivery.
RATES = (
    (DeliveryWay.PICKUP, "nairobi", 100, 1, 5000),
    (DeliveryWay.PICKUP, "", 200, 3, 10_000),
    (DeliveryWay.HOME, "nairobi", 250, 1, None),
    (DeliveryWay.HOME, "kiambu", 300, 2, None),
    (DeliveryWay.HOME, "mombasa", 450, 3, None),
    (DeliveryWay.HOME, "kisumu", 450, 3, None),
    (DeliveryWay.HOME, "nakuru", 400, 2, None),
    (DeliveryWay.HOME, "kericho", 500, 3, None),
)


def add_delivery(agent: str, keepers: Mapping[str, str]) -> int:
    """Add the demo's missing points and rates; return how many points were added.

    ``keepers`` are the user names of the agents who hand parcels over, by point; ``agent`` is the
    one at all other points. Safe to repeat: existing rows do not change, except that a point gets
    its keeper.
    """
    wanted = User.objects.filter(username__in=[agent, *keepers.values()])
    people, added = {person.username: person for person in wanted}, 0
    for name, county, area, directions, opening_hours, phone in POINTS:
        point, is_new = PickupPoint.objects.get_or_create(
            name=name,
            defaults={
                "county": county,
                "area": area,
                "directions": directions,
                "opening_hours": opening_hours,
                "phone": phone,
            },
        )
        added += is_new
        hands_over = people.get(keepers.get(name, agent))
        if hands_over is not None and (is_new or name in keepers):
            point.agents.add(hands_over)
    for way, county, fee, days, free_above in RATES:
        DeliveryRate.objects.get_or_create(
            way=way, county=county, defaults={"fee": fee, "days": days, "free_above": free_above}
        )
    return added
