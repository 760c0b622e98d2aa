/** Queries of the user's notifications. */

import { dataAndResponse, type Schemas, userApi } from "../api/client";
import { paged } from "../api/queries";

export type Notice = Schemas["NoticeOutput"];

export const noticesQuery = paged<Notice>(["notices", "all"], (cursor) =>
  dataAndResponse(
    userApi.GET("/notices/", { params: { query: (cursor ? { cursor } : {}) as object } }),
  ),
);

/** The page a notice links to: the order's for its buyer, otherwise one of the seller's. */
export function placeOf({ kind, order_token: token, reference, line }: Notice): string {
  if (!token) {
    if (kind.startsWith("problem")) return "/selling/problems";
    if (kind === "paid_out" || kind === "payout_failed") return "/selling/money";
    return reference ? `/selling/orders?order=${reference}` : "/selling/orders";
  }
  if (kind.startsWith("problem") && line) return `/orders/${token}/problem/${line}`;
  return kind === "prompt_failed" ? `/pay/${token}` : `/orders/${token}`;
}
