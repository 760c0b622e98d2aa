/** How a payment stands. What to tell the buyer comes with it, in the language that was asked for. */

import type { Order } from "../api/client";

export type Stage =
  | "ringing" // a prompt is open, or about to be
  | "silent" // it may be; nobody knows
  | "short" // some of the money came
  | "failed"
  | "paid"
  | "cancelled"
  | "expired"
  | "refund_due"
  | "refunded";

export function stageOf(order: Order): Stage {
  if (order.payment_status !== "requested") return order.payment_status;
  const { status, code } = order.prompt;
  if (code === "silent") return "silent";
  if (status === "requested" || status === "submitted" || status === "unknown") return "ringing";
  return order.amount_due < order.amount ? "short" : "failed";
}
