/** The stages of a payment, by the API's codes. The texts for the buyer come from the API, in their
 *  language. */

import type { Order } from "../api/client";

export type Stage =
  | "calling" // the prompt is being sent
  | "busy" // the phone shows another prompt first
  | "ringing" // the phone shows the prompt
  | "unknown" // it may show the prompt; M-Pesa is queried
  | "silent" // M-Pesa has not reported a result
  | "short" // only a part of the money came
  | "failed"
  | "paid"
  | "cancelled"
  | "called_off" // by the shop
  | "expired"
  | "refund_due"
  | "refunded";

/** What helps most after a failed prompt: the same phone again, another one, or paying by hand. */
export type Way = "again" | "other" | "hand";

/** Of an unpaid order: the stage of each code of `prompt`. tests/payments/test_wording.py compares it
 *  with the API's codes. */
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

/** Of any other order: the stage of a code, or null if it is the order's own status. */
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
  // A code that a newer API has added: treated as a failure, with the API's text.
  return WAITING[prompt.code]?.stage ?? (prompt.live ? "ringing" : "failed");
}

export function wayOf(order: Order): Way {
  return WAITING[order.prompt.code]?.way ?? "again";
}
