/** Queries of delivery agents and pick-up points. All are under the key "deliveries", which is removed
 *  when the user changes. */

import { queryOptions } from "@tanstack/react-query";
import { dataAndResponse, nextCursor, type Schemas, userApi } from "../api/client";
import { paged } from "../api/queries";
import { session } from "../api/session";
import { readStored, store } from "../api/storage";

export type Parcel = Schemas["ParcelOutput"];
export type Action = Parcel["actions"][number];
export type County = Schemas["CountyEnum"];

type Kept = { of: number; at: number; parcels: Parcel[] };
const KEPT = "parcels";

/** The parcels the user has claimed and not delivered. Stored in this tab, so that the page still says
 *  where to go if it is reloaded without a network. */
export const mineQuery = queryOptions({
  queryKey: ["deliveries", "mine"],
  queryFn: async () => {
    const parcels: Parcel[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, unknown> = { open: true, mine: true, page_size: 100 };
      if (cursor) query.cursor = cursor;
      const { data, response } = await dataAndResponse(
        userApi.GET("/deliveries/", { params: { query: query as object } }),
      );
      parcels.push(...data);
      cursor = nextCursor(response);
    } while (cursor);
    const of = session.user()?.pk;
    if (of !== undefined) store(KEPT, { of, at: Date.now(), parcels } satisfies Kept, "tab");
    return parcels;
  },
  initialData: () => kept()?.parcels,
  initialDataUpdatedAt: () => kept()?.at,
  staleTime: 0,
});

function kept(): Kept | null {
  const found = readStored<Kept>(KEPT, "tab");
  return found && found.of === session.user()?.pk ? found : null;
}

/** Parcels that can be claimed, and those at or on the way to the user's pick-up points. */
export function othersQuery(county: County | null) {
  return paged<Parcel>(["deliveries", "others", county], (cursor) => {
    const query = {
      open: true,
      mine: false,
      page_size: 50,
      ...(county ? { county } : {}),
      ...(cursor ? { cursor } : {}),
    };
    return dataAndResponse(userApi.GET("/deliveries/", { params: { query: query as object } }));
  });
}

/** The parcels that were delivered in the last days. */
export const doneQuery = paged<Parcel>(["deliveries", "done"], (cursor) => {
  const query = { open: false, ...(cursor ? { cursor } : {}) };
  return dataAndResponse(userApi.GET("/deliveries/", { params: { query: query as object } }));
});
