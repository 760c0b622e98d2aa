/** Queries that several pages use, each under one key, so that they share responses. Names are the
 *  API's. */

import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { type Boot, type Page, readBoot } from "./boot";
import {
  dataAndResponse,
  dataOf,
  nextCursor,
  type Product,
  type ProductDetail,
  publicApi,
  type Review,
  type Schemas,
  userApi,
} from "./client";
import { ApiError, isAway } from "./errors";

/** The fields of a product that lists show (as in products/shop/pages.py). */
const CARD = [
  "id",
  "name",
  "thumbnail",
  "price",
  "available",
  "soldout",
  "stars",
  "reviews",
  "category",
  "user_name",
] as const;
export type Card = Pick<Product, (typeof CARD)[number]>;
/** Lists are fetched with these fields only: the others are most of the bytes. */
const LIGHT = { fields: CARD.join() };

/** The filters of a category's list; a search also has `category`. */
export const FILTERS = [
  "min_price",
  "max_price",
  "min_stars",
  "in_stock",
  "seller",
  "ordering",
] as const;
export type Filters = Partial<Record<(typeof FILTERS)[number] | "category", string>>;

/** Interval between requests to a shop that cannot be reached, in milliseconds. */
const WHILE_AWAY = 10_000;

/** Whether the API's refusal is final, so that a retry is useless. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500 && error.status !== 429;
}

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        gcTime: 30 * 60_000,
        // Offline, a paused query would show nothing; a failed one shows an error, or cached data.
        networkMode: "always",
        refetchOnReconnect: true,
        refetchInterval: ({ state }) => (isAway(state.error) ? WHILE_AWAY : false),
        retry: (failures, error) => failures < 2 && !isFinal(error),
        retryDelay: (failures, error) =>
          error instanceof ApiError && error.retryAfter
            ? error.retryAfter * 1000
            : 1000 * 2 ** failures,
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}

/** Put the data embedded in the page into the query cache. */
export function seedQueries(client: QueryClient, boot: Boot = readBoot()): void {
  if (boot.home) client.setQueryData(homeQuery.queryKey, boot.home);
  if (boot.product) client.setQueryData(productQuery(boot.product.id).queryKey, boot.product);
  if (boot.category) {
    const { name, asked, page } = boot.category;
    const filters = filtersOf(new URLSearchParams(asked));
    client.setQueryData(categoryQuery(name, filters).queryKey, {
      pages: [page],
      pageParams: [null],
    });
  }
}

/** The filters in an address; its other parameters are ignored. */
export function filtersOf(params: URLSearchParams, isSearch = false): Filters {
  const filters: Filters = {};
  for (const name of isSearch ? ([...FILTERS, "category"] as const) : FILTERS) {
    const value = params.get(name);
    if (value) filters[name] = value;
  }
  return filters;
}

export const homeQuery = queryOptions({
  queryKey: ["home"],
  queryFn: async (): Promise<Record<string, Card[]>> =>
    dataOf(publicApi.GET("/", { params: { query: LIGHT } })) as Promise<Record<string, Card[]>>,
});

export function productQuery(id: number) {
  return queryOptions({
    queryKey: ["product", id],
    queryFn: async (): Promise<ProductDetail> => {
      const found = await dataOf(
        publicApi.GET("/product/{product_id}/", { params: { path: { product_id: id } } }),
      );
      // The same path with a category's name returns that category's list.
      if (Array.isArray(found)) throw new TypeError(`${id} is a category`);
      return found;
    },
  });
}

type Listed = { data: Product[]; response: Response };

/** An infinite query of a list in pages, each with the cursor of the next. */
export function paged<T>(
  queryKey: readonly unknown[],
  ask: (cursor: string | undefined) => Promise<{ data: T[]; response: Response }>,
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: async ({ pageParam }): Promise<Page<T>> => {
      const { data, response } = await ask(pageParam ?? undefined);
      const corrected = response.headers.get("Search-Corrected");
      return {
        items: data,
        next: nextCursor(response),
        ...(corrected ? { corrected: decodeURIComponent(corrected) } : {}),
      };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last: Page<T>) => last.next,
  });
}

export function categoryQuery(category: string, filters: Filters) {
  return paged<Card>(["category", category, filters], (cursor) => {
    const query = { ...LIGHT, ...filters, ...(cursor ? { cursor } : {}) };
    return dataAndResponse(
      publicApi.GET("/product/{product_id}/", {
        params: { path: { product_id: category as "kitchen" }, query: query as object },
      }),
    ) as Promise<Listed>;
  });
}

export function searchQuery(search: string, filters: Filters) {
  return paged<Card>(["search", search, filters], (cursor) => {
    // With words, the best matches first; without, the API's default: the newest.
    const ordering = search ? { ordering: "relevance" } : {};
    const query = { search, ...LIGHT, ...ordering, ...filters, ...(cursor ? { cursor } : {}) };
    return dataAndResponse(
      publicApi.GET("/product/search/", { params: { query: query as object } }),
    ) as Promise<Listed>;
  });
}

export function reviewsQuery(id: number) {
  return paged<Review>(["reviews", id], (cursor) =>
    dataAndResponse(
      publicApi.GET("/product/{product_id}/reviews/", {
        params: { path: { product_id: id }, query: (cursor ? { cursor } : {}) as object },
      }),
    ),
  );
}

/** The categories, each with its number of listings and a picture. */
export const categoriesQuery = queryOptions({
  queryKey: ["categories"],
  queryFn: () => dataOf(publicApi.GET("/categories/")),
  staleTime: 5 * 60_000,
});

/** Suggestions for a search term that is being typed. */
export function suggestQuery(typed: string) {
  return queryOptions({
    queryKey: ["suggestions", typed],
    queryFn: () =>
      dataOf(publicApi.GET("/product/suggest/", { params: { query: { q: typed } as object } })),
    staleTime: 60_000,
    retry: false,
  });
}

export function sellerQuery(username: string) {
  return queryOptions({
    queryKey: ["seller", username],
    queryFn: () => dataOf(publicApi.GET("/seller/{username}/", { params: { path: { username } } })),
    staleTime: 5 * 60_000,
  });
}

/** The products in the cart as they are now. Those missing from the response are not for sale. */
export function cartQuery(ids: number[]) {
  return queryOptions({
    queryKey: ["cart", ids],
    queryFn: () => (ids.length ? dataOf(publicApi.POST("/cart/", { body: { ids } })) : []),
    // Always fetched again: a price may have changed.
    staleTime: 0,
    placeholderData: (before: Product[] | undefined) => before,
  });
}

export function orderQuery(token: string) {
  return queryOptions({
    queryKey: ["order", token],
    queryFn: () =>
      dataOf(userApi.GET("/cashout/{order_token}/", { params: { path: { order_token: token } } })),
    staleTime: 0,
  });
}

/** The user's orders, newest first. */
export const ordersQuery = paged<Schemas["OrderRowOutput"]>(["orders"], (cursor) =>
  dataAndResponse(userApi.GET("/orders/", { params: { query: cursor ? { cursor } : {} } })),
);

export function trackStoryQuery(id: number) {
  return queryOptions({
    queryKey: ["track", id],
    queryFn: () =>
      dataOf(userApi.GET("/track/order/{track_id}/", { params: { path: { track_id: id } } })),
  });
}

export function ownReviewQuery(trackId: number) {
  return queryOptions({
    queryKey: ["own-review", trackId],
    queryFn: () =>
      dataOf(userApi.GET("/track/{track_id}/review/", { params: { path: { track_id: trackId } } })),
  });
}

/** The user's own details, with their contact phone. */
export const userQuery = queryOptions({
  queryKey: ["user"],
  queryFn: () => dataOf(userApi.GET("/user/")),
});

/** The user's roles, whether they sell, and how much waits for them. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => dataOf(userApi.GET("/me/")),
});

export const accountQuery = queryOptions({
  queryKey: ["account"],
  queryFn: () => dataOf(userApi.GET("/account/")),
});

export const messagesQuery = queryOptions({
  queryKey: ["messages"],
  queryFn: () => dataOf(userApi.GET("/account/messages/")),
});

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: () => dataOf(userApi.GET("/account/sessions/")),
});
