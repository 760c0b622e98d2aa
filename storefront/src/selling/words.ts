/** What the seller's pages call things. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { TrackStatus } from "../api/client";
import type { LineProblem, Message, Movement, Payout } from "./queries";

/** How a line stands, to its seller. */
export const SALE_STATUS: Record<TrackStatus, MessageDescriptor> = {
  created: msg`Not paid yet`,
  paid: msg`Paid: get it ready`,
  fetched: msg`Collected from you`,
  shipping: msg`On its way to the buyer`,
  delivered: msg`Delivered`,
  cancelled: msg`Cancelled`,
  refunded: msg`Cancelled, and paid back`,
};

export const PAYOUT_STATUS: Record<Payout["status"], MessageDescriptor> = {
  waiting: msg`Waiting`,
  on_its_way: msg`On its way`,
  paid: msg`Sent`,
  refused: msg`Refused`,
  replaced: msg`Replaced by another`,
};

export const MOVEMENT: Record<Movement["kind"], MessageDescriptor> = {
  sale: msg`Sale`,
  commission: msg`Commission`,
  refund: msg`Refund`,
  commission_refund: msg`Commission given back`,
  price_reduction: msg`Price reduced`,
  payout: msg`Payout`,
};

export const PROBLEM_KIND: Record<LineProblem["kind"], MessageDescriptor> = {
  not_received: msg`Not received`,
  damaged: msg`Damaged`,
  wrong_goods: msg`Other goods than ordered`,
  not_as_described: msg`Not as described`,
};

/** How a problem ended, and what was decided along the way. */
export const DECIDED: Record<NonNullable<Message["decided"]>, MessageDescriptor> = {
  refunded: msg`The whole price goes back`,
  reduced: msg`A part of the price goes back`,
  returned: msg`The goods came back, and the whole price goes back`,
  dismissed: msg`Closed without a refund`,
  withdrawn: msg`The buyer withdrew it`,
  cancelled: msg`The goods were cancelled`,
  returning: msg`The goods come back first`,
};

export const SAYS: Record<Message["by"], MessageDescriptor> = {
  buyer: msg`The buyer`,
  seller: msg`You`,
  shop: msg`The shop`,
};

const NAMES: Record<string, string> = {
  elgeyo_marakwet: "Elgeyo/Marakwet",
  muranga: "Murang’a",
  taita_taveta: "Taita–Taveta",
  tharaka_nithi: "Tharaka-Nithi",
};

/** A county's name, which is the same in both languages (accounts/counties.py). */
export function countyName(county: string): string {
  return (
    NAMES[county] ??
    county.replace(/(^|_)([a-z])/g, (_, gap, first) => (gap && " ") + first.toUpperCase())
  );
}
