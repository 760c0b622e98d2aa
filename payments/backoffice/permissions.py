"""What it takes to look at the console's rows, and to act: money's and goods' are two things."""

from __future__ import annotations

#: Who may look at money, and who may act. Superusers may both.
LOOKING = "payments.view_receipt"
ACTING = "payments.decide_money"
#: The same of problems with goods: they are support's.
LOOKING_AT_PROBLEMS = "orders.view_problem"
DECIDING_PROBLEMS = "orders.decide_lines"
#: How the keys of the actions with problems begin.
OF_PROBLEMS = "console.problem."
