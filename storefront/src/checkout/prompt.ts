/** How a payment stands, by the codes of the API. What to tell the buyer comes with it, in the
 *  language that was asked for. */

import type { Order } from "../api/client";

export type Stage =
  | "calling" // it is about to ring
  | "busy" // the phone shows something else first
  | "ringing"
  | "unknown" // it may ring; M-Pesa is asked
  | "silent" // nothing was heard
  | "short" // some of the money came
  | "failed"
  | "paid"
  | "cancelled"
  | "called_off" // by the shop
  | "expired"
  | "refund_due"
  | "refunded";

/** What helps most after a prompt that brought no money. */
export type Way = "again" | "other" | "hand";

/** While an order waits for its money: what each code of `prompt` means. A test of the shop holds it
 *  to the codes that there are (tests/payments/test_wording.py). */
const WAITING: Readonly<Record<string, { stage: Stage; way: Way }>> = {
  about_to_ring: { stage: "calling", way: "again" },
  sent_again: { stage: "calling", way: "again" },
  waits_for_phone: { stage: "busy", way: "again" },
  enter_pin: { stage: "ringing", way: "again" },
  asking: { stage: "unknown", way: "again" },
  silent: { stage: "silent", way: "again" },
  short: { stage: "short", way: "again" },
  try_again: { stage: "failed", way: "again" },
  cancelled: { stage: "failed", way: "again" },
  no_answer: { stage: "failed", way: "again" },
  wrong_pin: { stage: "failed", way: "again" },
  no_money: { stage: "failed", way: "again" },
  limit: { stage: "failed", way: "other" },
  busy: { stage: "failed", way: "again" },
  repeated_too_soon: { stage: "failed", way: "again" },
  pin_locked: { stage: "failed", way: "other" },
  expired: { stage: "failed", way: "again" },
  misconfigured: { stage: "failed", way: "hand" },
  other: { stage: "failed", way: "again" },
  not_sent: { stage: "failed", way: "again" },
  phone_not_now: { stage: "failed", way: "other" },
  not_on_statement: { stage: "failed", way: "again" },
  too_many_phones: { stage: "failed", way: "hand" },
  refused_busy_phone: { stage: "failed", way: "again" },
  refused_busy_gateway: { stage: "failed", way: "again" },
  refused_unreachable: { stage: "failed", way: "again" },
  refused_configuration: { stage: "failed", way: "hand" },
  refused_gateway: { stage: "failed", way: "again" },
  refused_other: { stage: "failed", way: "again" },
  refused_bad_request: { stage: "failed", way: "other" },
};

/** Once it waits no more: what a code says beyond the order's own status. */
const CLOSED: Readonly<Record<string, Stage | null>> = {
  paid: null,
  cancelled: null,
  expired: null,
  refund_due: null,
  refunded: null,
  yielded: null,
  cancelled_while_open: null,
  paid_after_cancelling: null,
  cancelled_by_shop: "called_off",
};

export function stageOf(order: Order): Stage {
  const { payment_status: status, prompt } = order;
  if (status !== "requested") return CLOSED[prompt.code] ?? status;
  // A code of tomorrow is something that failed, in words that came with it.
  return WAITING[prompt.code]?.stage ?? (prompt.live ? "ringing" : "failed");
}

export function wayOf(order: Order): Way {
  return WAITING[order.prompt.code]?.way ?? "again";
}
