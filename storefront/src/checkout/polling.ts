/** How often a payment is asked about. */

import type { Order } from "../api/client";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Money may still come for an order whose time is over: it is asked about so much longer. */
export const AFTER_EXPIRY = 15 * MINUTE;

/** Milliseconds until the next question: 2 s in the first minute since the phone rang, 5 s until
 *  five minutes, then 15 s; no sooner than 5 s for an order that was given up or has expired, whose
 *  phone may still be answered, and until a quarter of an hour after its time; slowly while money
 *  is on its way back; false: never. */
export function pauseOf(
  order: Pick<Order, "payment_status" | "expires_at"> | undefined,
  since: number,
  now: number,
): number | false {
  if (!order) return 5 * SECOND;
  const patient = now - since < 5 * MINUTE ? 5 * SECOND : 15 * SECOND;
  switch (order.payment_status) {
    case "requested":
      return now - since < MINUTE ? 2 * SECOND : patient;
    case "cancelled":
    case "expired":
      return now < Date.parse(order.expires_at) + AFTER_EXPIRY ? patient : false;
    case "refund_due":
      return 15 * SECOND;
    default:
      return false;
  }
}
