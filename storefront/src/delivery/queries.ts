/** Queries about destinations, and about the cost of delivery. */

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import {
  dataAndResponse,
  dataOf,
  nextCursor,
  publicApi,
  type Schemas,
  userApi,
} from "../api/client";
import type { CartLine } from "../cart/cart";

export type County = Schemas["CountyEnum"];
export type Address = Schemas["AddressOutput"];
export type Point = Schemas["PickupPointOutput"];
export type Quote = Schemas["QuoteOutput"];
export type QuotedLine = Schemas["QuotedLineOutput"];

/** The 47 counties, by name. */
export const countiesQuery = queryOptions({
  queryKey: ["counties"],
  queryFn: async () => {
    const counties = await dataOf(publicApi.GET("/counties/"));
    return [...counties].sort((one, other) => one.name.localeCompare(other.name));
  },
  staleTime: Number.POSITIVE_INFINITY,
});

/** The open pick-up points of a county. */
export function pointsQuery(county: County) {
  return infiniteQueryOptions({
    queryKey: ["points", county],
    queryFn: async ({ pageParam }) => {
      const query = { county, ...(pageParam ? { cursor: pageParam } : {}) };
      const { data, response } = await dataAndResponse(
        publicApi.GET("/pickup-points/", { params: { query } }),
      );
      return { items: data, next: nextCursor(response) };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 5 * 60_000,
  });
}

/** The user's addresses, the default first. */
export const addressesQuery = queryOptions({
  queryKey: ["addresses"],
  queryFn: () => dataOf(userApi.GET("/account/addresses/")),
});

/** The current cost of these lines with delivery to `to`; null for no delivery. */
export function quoteQuery(lines: readonly CartLine[], to: Schemas["QuoteDeliveryInput"] | null) {
  const body = {
    order: lines.map(({ id, number, price }) => ({
      product: id,
      number,
      // The price that was shown: the response says if it has changed.
      ...(Number.isSafeInteger(price) && price > 0 ? { price } : {}),
    })),
    delivery: to,
  };
  return queryOptions({
    queryKey: ["quote", body],
    queryFn: () => dataOf(userApi.POST("/cart/quote/", { body })),
    staleTime: 0,
    placeholderData: (before: Quote | undefined) => before,
  });
}
