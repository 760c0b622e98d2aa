/** How a line stands, in words, and what its buyer may do with it (orders/fulfilment.py). */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { PaymentStatus, TrackStatus } from "../api/client";

export const TRACK_STATUS: Record<TrackStatus, MessageDescriptor> = {
  created: msg`Waits for your payment`,
  paid: msg`Paid, the seller gets it ready`,
  fetched: msg`Collected from the seller`,
  shipping: msg`On its way to you`,
  delivered: msg`Delivered`,
  cancelled: msg`Cancelled`,
  refunded: msg`Cancelled, your money is back`,
};

export const PAYMENT_STATUS: Record<PaymentStatus, MessageDescriptor> = {
  requested: msg`Not paid yet`,
  paid: msg`Paid`,
  cancelled: msg`Given up`,
  expired: msg`Not paid in time`,
  refund_due: msg`Your money comes back`,
  refunded: msg`Your money is back`,
};

/** The colour of a line's status. */
export function toneOf(status: TrackStatus): "ok" | "warn" | "bad" | "" {
  if (status === "delivered") return "ok";
  if (status === "cancelled" || status === "refunded") return "bad";
  return status === "created" ? "warn" : "";
}

/** The buyer may cancel until it is collected. */
export function mayCancel(status: TrackStatus): boolean {
  return status === "paid";
}

/** The buyer may say that it has arrived. */
export function mayConfirm(status: TrackStatus): boolean {
  return status === "fetched" || status === "shipping";
}
