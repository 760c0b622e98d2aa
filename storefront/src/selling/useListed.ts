import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, userApi } from "../api/client";
import { productQuery } from "../api/queries";
import { listingQuery } from "./queries";

/** Unlist one of the seller's listings, or list it again. Safe to repeat. */
export function useListed(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (listed: boolean) =>
      dataOf(
        userApi.PATCH("/product/{product_id}/", {
          params: { path: { product_id: id } },
          body: { listed },
        }),
      ),
    onSuccess: (listing) => client.setQueryData(listingQuery(id).queryKey, listing),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["selling"] });
      void client.invalidateQueries({ queryKey: productQuery(id).queryKey });
    },
  });
}
