import { Trans } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, type Order, userApi } from "../api/client";
import { orderQuery } from "../api/queries";
import { ConfirmButton } from "../ui/ConfirmButton";

/** The button that cancels an unpaid order. */
export function CancelOrder({ order }: { order: Order }) {
  const client = useQueryClient();
  const { order_token } = order;
  const cancel = useMutation({
    mutationFn: () =>
      dataOf(userApi.POST("/cashout/{order_token}/cancel/", { params: { path: { order_token } } })),
    onSuccess: (now) => client.setQueryData(orderQuery(order_token).queryKey, now),
    onError: () => client.invalidateQueries({ queryKey: orderQuery(order_token).queryKey }),
  });
  return (
    <ConfirmButton
      label={<Trans>Cancel order</Trans>}
      warning={
        <Trans>
          The items go back on sale right away. Any payment that still arrives is refunded to you.
        </Trans>
      }
      confirm={<Trans>Yes, cancel order</Trans>}
      isBusy={cancel.isPending}
      error={cancel.error}
      onConfirm={() => cancel.mutate()}
    />
  );
}
