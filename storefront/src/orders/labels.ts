/** Labels of the statuses of orders and lines. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { PaymentStatus, TrackStatus } from "../api/client";

export const TRACK_STATUS: Record<TrackStatus, MessageDescriptor> = {
  created: msg`Waiting for payment`,
  paid: msg`Paid, the seller is preparing it`,
  fetched: msg`Collected from the seller`,
  shipping: msg`On its way to you`,
  delivered: msg`Delivered`,
  cancelled: msg`Cancelled`,
  refunded: msg`Cancelled and refunded`,
};

export const PAYMENT_STATUS: Record<PaymentStatus, MessageDescriptor> = {
  requested: msg`Not paid yet`,
  paid: msg`Paid`,
  cancelled: msg`Cancelled`,
  expired: msg`Not paid in time`,
  refund_due: msg`Refund on its way`,
  refunded: msg`Refunded`,
};

/** The colour of a line's status. */
export function toneOf(status: TrackStatus): "ok" | "warn" | "bad" | "" {
  if (status === "delivered") return "ok";
  if (status === "cancelled" || status === "refunded") return "bad";
  return status === "created" ? "warn" : "";
}

/** Statuses of lines that are still to reach their buyer. */
export const UNDER_WAY: ReadonlySet<TrackStatus> = new Set(["paid", "fetched", "shipping"]);
