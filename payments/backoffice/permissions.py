"""Permissions to view and to decide on the console. Money and goods are separate."""

from __future__ import annotations

#: Superusers hold all of them.
VIEW_MONEY = "payments.view_receipt"
DECIDE_MONEY = "payments.decide_money"
#: The same for problems with goods, which support handles.
VIEW_PROBLEMS = "orders.view_problem"
DECIDE_PROBLEMS = "orders.decide_lines"
#: Prefix of the keys of actions on problems.
PROBLEM_ACTIONS = "console.problem."
