/** Labels on the seller's pages. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import type { Schemas, TrackStatus } from "../api/client";
import type { Movement, Payout, StockMove } from "./queries";

/** The status of a line as its seller sees it. */
export const SALE_STATUS: Record<TrackStatus, MessageDescriptor> = {
  created: msg`Not paid yet`,
  paid: msg`Paid: prepare it`,
  fetched: msg`Collected from you`,
  shipping: msg`On its way to the buyer`,
  delivered: msg`Delivered`,
  cancelled: msg`Cancelled`,
  refunded: msg`Cancelled and refunded`,
};

export const PAYOUT_STATUS: Record<Payout["status"], MessageDescriptor> = {
  waiting: msg`Waiting`,
  on_its_way: msg`On its way`,
  paid: msg`Sent`,
  refused: msg`Rejected`,
  replaced: msg`Replaced`,
};

export const MOVEMENT: Record<Movement["kind"], MessageDescriptor> = {
  sale: msg`Sale`,
  commission: msg`Commission`,
  refund: msg`Refund`,
  commission_refund: msg`Commission refund`,
  price_reduction: msg`Price reduced`,
  payout: msg`Payout`,
  renouncement: msg`Given up`,
};

/** The result of importing a row of a spreadsheet, or of checking it. */
export const ROW_STATUS: Record<Schemas["RowOutput"]["status"], MessageDescriptor> = {
  created: msg`New`,
  updated: msg`Changed`,
  unchanged: msg`Unchanged`,
  failed: msg`Rejected`,
};

export const STOCK_MOVE: Record<StockMove["kind"], MessageDescriptor> = {
  listed: msg`Listed`,
  restocked: msg`Restocked`,
  sold: msg`Sold`,
  returned: msg`Returned`,
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
