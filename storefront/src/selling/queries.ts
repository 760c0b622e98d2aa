/** What the seller's pages read; all under one key, which goes with the person. */

import { queryOptions } from "@tanstack/react-query";
import { mine, read, readWhole, type Schemas, type TrackStatus } from "../api/client";
import { paged } from "../api/queries";

export type Sale = Schemas["SaleOutput"];
export type Payout = Schemas["PayoutOutput"];
export type Movement = Schemas["MovementOutput"];
export type LineProblem = Schemas["LineProblemOutput"];
export type Message = Schemas["MessageOutput"];

const from = (cursor: string | undefined) => (cursor ? { cursor } : {}) as object;

/** The caller's lines with one status, or those to hand over. */
export function salesQuery(status: TrackStatus | null) {
  return paged<Sale>(["selling", "orders", status], (cursor) => {
    const query = { ...(status ? { status } : {}), ...from(cursor) };
    return readWhole(mine.GET("/seller/orders/", { params: { query } }));
  });
}

export const balanceQuery = queryOptions({
  queryKey: ["selling", "balance"],
  queryFn: () => read(mine.GET("/seller/balance/")),
});

export const payoutsQuery = paged<Payout>(["selling", "payouts"], (cursor) =>
  readWhole(mine.GET("/seller/payouts/", { params: { query: from(cursor) } })),
);

export const statementQuery = paged<Movement>(["selling", "statement"], (cursor) =>
  readWhole(mine.GET("/seller/statement/", { params: { query: from(cursor) } })),
);

export const problemsQuery = paged<LineProblem>(["selling", "problems"], (cursor) =>
  readWhole(mine.GET("/seller/problems/", { params: { query: from(cursor) } })),
);

export function threadQuery(track: number) {
  return queryOptions({
    queryKey: ["selling", "thread", track],
    queryFn: () =>
      read(
        mine.GET("/track/{track_id}/problem/messages/", {
          params: { path: { track_id: String(track) } },
        }),
      ),
  });
}
