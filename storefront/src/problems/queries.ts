/** What is read of problems with lines; all under one key, which goes with the person. */

import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { dataOf, type Schemas, userApi } from "../api/client";
import { ApiError } from "../api/errors";

export type LineProblem = Schemas["LineProblemOutput"];
export type ProblemKind = Schemas["ProblemKindEnum"];
export type Message = Schemas["MessageOutput"];

/** The two who speak in a thread beside the shop. */
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

/** A picture of a thread, which is fetched with the token. */
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

/** Read anew all that a problem's change shows in, unless it was refused for what was typed. */
export function readAnew(client: QueryClient, error: unknown): void {
  if (error instanceof ApiError && error.status === 400) return;
  for (const key of ["problem", "selling", "track", "tracks", "order"]) {
    void client.invalidateQueries({
      queryKey: [key],
      predicate: ({ queryKey }) => queryKey[1] !== "picture",
    });
  }
}
