/** Queries of the seller's pages. All are under the key "selling", which is removed when the user
 *  changes. */

import { queryOptions } from "@tanstack/react-query";
import { dataAndResponse, dataOf, type Schemas, type TrackStatus, userApi } from "../api/client";
import { paged } from "../api/queries";
import type { LineProblem } from "../problems/queries";

export type Sale = Schemas["SaleOutput"];
export type Payout = Schemas["PayoutOutput"];
export type Movement = Schemas["MovementOutput"];
export type Listing = Schemas["ListingOutput"];
export type StockMove = Schemas["StockMoveOutput"];
export type SellersReview = Schemas["SellersReviewOutput"];

const from = (cursor: string | undefined) => (cursor ? { cursor } : {}) as object;

/** The seller's sold lines with one status; null: those to hand over. */
export function salesQuery(status: TrackStatus | null) {
  return paged<Sale>(["selling", "orders", status], (cursor) => {
    const query = { ...(status ? { status: [status] } : {}), ...from(cursor) };
    return dataAndResponse(userApi.GET("/seller/orders/", { params: { query } }));
  });
}

export const balanceQuery = queryOptions({
  queryKey: ["selling", "balance"],
  queryFn: () => dataOf(userApi.GET("/seller/balance/")),
});

export const payoutsQuery = paged<Payout>(["selling", "payouts"], (cursor) =>
  dataAndResponse(userApi.GET("/seller/payouts/", { params: { query: from(cursor) } })),
);

export const statementQuery = paged<Movement>(["selling", "statement"], (cursor) =>
  dataAndResponse(userApi.GET("/seller/statement/", { params: { query: from(cursor) } })),
);

export const problemsQuery = paged<LineProblem>(["selling", "problems"], (cursor) =>
  dataAndResponse(userApi.GET("/seller/problems/", { params: { query: from(cursor) } })),
);

export const summaryQuery = queryOptions({
  queryKey: ["selling", "summary"],
  queryFn: () => dataOf(userApi.GET("/seller/summary/")),
});

/** The filters and order of the seller's listings, from the page's address. */
export type Narrowed = { status: string; search: string; ordering: string };

export function listingsQuery({ status, search, ordering }: Narrowed) {
  return paged<Listing>(["selling", "listings", status, search, ordering], (cursor) => {
    const query = {
      ...(status ? { status } : {}),
      ...(search ? { search } : {}),
      ...(ordering ? { ordering } : {}),
      ...from(cursor),
    };
    return dataAndResponse(
      userApi.GET("/seller/products/", { params: { query: query as object } }),
    );
  });
}

/** One of the seller's listings with its stock; null if it is not theirs. */
export function listingQuery(id: number) {
  return queryOptions({
    queryKey: ["selling", "listing", id],
    queryFn: async (): Promise<Listing | null> =>
      (await dataOf(userApi.GET("/seller/products/", { params: { query: { id } } })))[0] ?? null,
  });
}

/** The payout number of the newest listing, as a suggestion for another; "" if there is none. */
export const lastNumberQuery = queryOptions({
  queryKey: ["selling", "number"],
  queryFn: async () => {
    const newest = await dataOf(
      userApi.GET("/seller/products/", { params: { query: { page_size: 1 } } }),
    );
    return newest[0]?.payment_mpesa_number ?? "";
  },
});

export function stockQuery(id: number) {
  return paged<StockMove>(["selling", "stock", id], (cursor) =>
    dataAndResponse(
      userApi.GET("/product/{product_id}/stock/", {
        params: { path: { product_id: id }, query: from(cursor) },
      }),
    ),
  );
}

export function sellersReviewsQuery(answered: string, stars: string) {
  return paged<SellersReview>(["selling", "reviews", answered, stars], (cursor) => {
    const query = {
      ...(answered ? { answered } : {}),
      ...(stars ? { stars } : {}),
      ...from(cursor),
    };
    return dataAndResponse(userApi.GET("/seller/reviews/", { params: { query: query as object } }));
  });
}
