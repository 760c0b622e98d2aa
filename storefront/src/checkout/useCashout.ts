import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { useUser } from "../account/useUser";
import { dataOf, userApi } from "../api/client";
import { ApiError, isUnanswered } from "../api/errors";
import { orderQuery } from "../api/queries";
import { cart } from "../cart/cart";
import { forgetChoice } from "../delivery/choice";
import { guestOrders } from "../orders/guestOrders";
import { beginAttempt, type CashoutBody, endAttempt } from "./attempt";
import { rememberNumber } from "./mpesaNumber";

/** Place the order. Without a response it is sent again, with the same key: it is one order. */
export function useCashout() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const user = useUser();
  return useMutation({
    mutationFn: async (body: CashoutBody) => {
      const { key } = beginAttempt(body, user?.pk ?? 0);
      return dataOf(
        userApi.POST("/cashout/", { body, params: { header: { "Idempotency-Key": key } } }),
      );
    },
    retry: (failures, error) => failures < 2 && mayBePlaced(error),
    onSuccess: (order, body) => {
      endAttempt();
      forgetChoice();
      rememberNumber(String(body.mpesa_number));
      if (!user) guestOrders.add({ token: order.order_token, phone: String(body.mpesa_number) });
      client.setQueryData(orderQuery(order.order_token).queryKey, order);
      void client.invalidateQueries({ queryKey: ["orders"] });
      void client.invalidateQueries({ queryKey: ["me"] });
      navigate(`/pay/${order.order_token}`, { replace: true });
      cart.takeOut(body.order);
    },
    onError: (error) => {
      if (mayBePlaced(error)) return;
      endAttempt();
      // Prices, stock or fees may have changed.
      void client.invalidateQueries({ queryKey: ["cart"] });
      void client.invalidateQueries({ queryKey: ["quote"] });
    },
  });
}

/** Whether the order may have been placed in spite of this error. */
export function mayBePlaced(error: unknown): boolean {
  return (
    isUnanswered(error) || (error instanceof ApiError && error.code === "idempotency_key_in_use")
  );
}
