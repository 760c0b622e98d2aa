/** How often a payment's status is polled. */

import type { Order } from "../api/client";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** How long a cancelled or expired order is still polled: money may arrive late. Milliseconds. */
export const AFTER_EXPIRY = 15 * MINUTE;

/** Milliseconds until the next poll, or false to stop. `since` is when the phone rang, or the page was
 *  opened; both times are milliseconds by the server's clock.
 *
 *  - unpaid: 2 s in the first minute, 5 s up to five minutes, then 15 s
 *  - cancelled or expired, while its prompt may still be answered: 5 s, then 15 s, for `AFTER_EXPIRY`
 *  - a refund is due: 15 s */
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
