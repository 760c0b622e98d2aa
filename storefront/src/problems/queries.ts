/** Queries of problems. All are under the key "problem", which is removed when the user changes. */

import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { dataOf, type Schemas, userApi } from "../api/client";
import { ApiError } from "../api/errors";

export type LineProblem = Schemas["LineProblemOutput"];
export type ProblemKind = Schemas["ProblemKindEnum"];
export type Message = Schemas["MessageOutput"];

/** The two parties of a thread, besides the shop. */
export type Reader = "buyer" | "seller";

export function threadQuery(track: number) {
  return queryOptions({
    queryKey: ["problem", "thread", track],
    queryFn: () =>
      dataOf(
        userApi.GET("/track/{track_id}/problem/messages/", {
          params: { path: { track_id: track } },
        }),
      ),
  });
}

/** A picture of a thread; it needs the access token. */
export function pictureQuery(address: string) {
  return queryOptions({
    queryKey: ["problem", "picture", address],
    queryFn: async () => {
      const [, track, id] = /track\/(\d+)\/problem\/pictures\/(\d+)\//.exec(address) ?? [];
      const path = { track_id: Number(track), picture_id: Number(id) };
      const file = await dataOf(
        userApi.GET("/track/{track_id}/problem/pictures/{picture_id}/", {
          params: { path },
          parseAs: "blob",
        }),
      );
      return createImageBitmap(file);
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Fetch again what a change of a problem appears in; not after an error in the input (400). */
export function refetchProblem(client: QueryClient, error: unknown): void {
  if (error instanceof ApiError && error.status === 400) return;
  for (const key of ["problem", "selling", "track", "tracks", "order"]) {
    void client.invalidateQueries({
      queryKey: [key],
      predicate: ({ queryKey }) => queryKey[1] !== "picture",
    });
  }
}
