import { Trans } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, type Line, type Order, userApi } from "../api/client";
import { orderQuery } from "../api/queries";
import { money, phone } from "../i18n/format";
import { ConfirmButton } from "../ui/ConfirmButton";

/** The buyer's actions on a line: cancel it, or confirm that it was received. */
export function LineActions({ order, line }: { order: Order; line: Line }) {
  const client = useQueryClient();
  const move = useMutation({
    mutationFn: (to: "delivered" | "cancelled") =>
      dataOf(
        userApi.POST("/track/{track_id}/move/", {
          params: { path: { track_id: line.id } },
          body: { to },
        }),
      ),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: orderQuery(order.order_token).queryKey }),
        client.invalidateQueries({ queryKey: ["tracks"] }),
        client.invalidateQueries({ queryKey: ["track", line.id] }),
      ]),
  });
  const amount = money(line.amount - line.reduced);
  const number = phone(order.mpesa_number);
  if (line.moves.includes("cancelled")) {
    return (
      <ConfirmButton
        label={<Trans>Cancel item</Trans>}
        warning={
          <>
            <Trans>
              The seller will not send it, and {amount} is refunded to the phone that paid ({number}
              ).
            </Trans>{" "}
            {order.delivery_fee > 0 && (
              <Trans>
                The delivery fee is refunded too, unless this seller is delivering other items to
                you.
              </Trans>
            )}
          </>
        }
        confirm={<Trans>Yes, cancel it</Trans>}
        isBusy={move.isPending}
        error={move.error}
        onConfirm={() => move.mutate("cancelled")}
      />
    );
  }
  if (line.moves.includes("delivered")) {
    return (
      <ConfirmButton
        label={<Trans>I received it</Trans>}
        warning={
          <Trans>Confirm only if you have it and it is as described. This cannot be undone.</Trans>
        }
        confirm={<Trans>Yes, I received it</Trans>}
        isBusy={move.isPending}
        error={move.error}
        onConfirm={() => move.mutate("delivered")}
      />
    );
  }
  return null;
}
