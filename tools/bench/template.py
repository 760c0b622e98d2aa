"""A few days of trading to make copies of: ``python -m tools.bench.template FILE``.

The simulation plays them in memory, without faults, so that every table has rows written by the
shop's own code. ``tools.bench.large_dataset`` copies them.
"""

from __future__ import annotations

import pickle
import random
import sys
from pathlib import Path
from unittest.mock import patch

from tools.simulation.__main__ import open_simulated_shop

#: Weights of the events: people pay, and goods are handed over.
_ACTS = {
    "cash_out": 24,
    "answer_phone": 40,
    "tick": 26,
    "wait": 8,
    "restock": 10,
    "poll": 1,
    "pay_by_hand": 1,
    "cancel": 1,
}
_LINES = {"onwards": 30, "buyer_cancels": 1}
_PARCELS = {"bring": 30}
_PROBLEMS = {"report": 1}
_PAYOUTS = {"approve": 1}
#: Events per step that concern goods.
_IN_A_STEP = (1, 2, 2, 3)
SEED, STEPS = 12, 300


def play(seed: int = SEED, steps: int = STEPS) -> dict[str, list[dict[str, object]]]:
    """Play the trading; returns the final rows of every table, by model label."""
    open_simulated_shop()
    from django.apps import apps

    from tools.simulation import goods
    from tools.simulation.actors import Actors
    from tools.simulation.chance import FaultRates
    from tools.simulation.parcels import Parcels
    from tools.simulation.payouts import Payouts
    from tools.simulation.problems import Problems
    from tools.simulation.run import Run
    from tools.simulation.runner import seed_runner

    calm, act = frozenset(FaultRates.__dataclass_fields__), goods.Goods.act

    def act_at_first(self: goods.Goods) -> None:
        """Late purchases stay undelivered."""
        if self.run.step < steps * 0.6:
            act(self)

    with (
        seed_runner() as runner,
        patch.object(Actors, "WEIGHTS", _ACTS),
        patch.object(goods.Lines, "WEIGHTS", _LINES),
        patch.object(Parcels, "WEIGHTS", _PARCELS),
        patch.object(Problems, "WEIGHTS", _PROBLEMS),
        patch.object(Payouts, "WEIGHTS", _PAYOUTS),
        patch.object(goods, "IN_A_STEP", _IN_A_STEP),
        patch.object(goods.Goods, "act", act_at_first),
    ):
        runner.memory.begin_again()
        run = Run(seed, runner.data, certificate=runner.certificate, steps=steps, without=calm)
        run.play()
        _review(random.Random(seed))
        return {
            model._meta.label: list(
                model._default_manager.order_by("pk").values(
                    *(field.attname for field in model._meta.concrete_fields)
                )
            )
            for model in apps.get_models(include_auto_created=True)
        }


def _review(chance: random.Random) -> None:
    """Buyers review half of what they received."""
    from orders.models import OrderTrack
    from products.reviews.services import write_review

    for line in OrderTrack.objects.filter(track_status="delivered").order_by("pk"):
        if chance.random() < 0.5:
            write_review(
                line_id=line.pk,
                product_id=line.product_id,
                buyer_id=line.buyer_id,
                seller_id=line.seller_id,
                stars=chance.randint(3, 5),
                text="As described.",
            )


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(pickle.dumps(play()))
