import { Trans } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { mine, type Order, read } from "../api/client";
import { orderQuery } from "../api/queries";
import { Ask } from "../ui/Ask";

/** Give an unpaid order up. */
export function GiveUp({ order }: { order: Order }) {
  const client = useQueryClient();
  const { order_token } = order;
  const cancel = useMutation({
    mutationFn: () =>
      read(mine.POST("/cashout/{order_token}/cancel/", { params: { path: { order_token } } })),
    onSuccess: (now) => client.setQueryData(orderQuery(order_token).queryKey, now),
    onError: () => client.invalidateQueries({ queryKey: orderQuery(order_token).queryKey }),
  });
  return (
    <Ask
      open={<Trans>Give this order up</Trans>}
      means={
        <Trans>
          The goods are free for others at once. Money that still comes for it is sent back to you.
        </Trans>
      }
      yes={<Trans>Yes, give it up</Trans>}
      isBusy={cancel.isPending}
      error={cancel.error}
      act={() => cancel.mutate()}
    />
  );
}
