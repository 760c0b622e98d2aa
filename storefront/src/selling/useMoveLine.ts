import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, type Schemas, userApi } from "../api/client";
import { meQuery } from "../api/queries";

/** Change the status of a sold line. Afterwards the lists are fetched again, also after an error. */
export function useMoveLine(line: number, done: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["MoveInput"]) =>
      dataOf(
        userApi.POST("/track/{track_id}/move/", {
          params: { path: { track_id: line } },
          body,
        }),
      ),
    onSuccess: done,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["selling"] });
      void client.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
}
