import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { useUser } from "../account/useUser";
import { mine, read } from "../api/client";
import { ApiError } from "../api/errors";
import { orderQuery } from "../api/queries";
import { cart } from "../cart/cart";
import { beginAttempt, type CashoutBody, endAttempt } from "./attempt";
import { rememberNumber } from "./mpesaNumber";
import { noteRung } from "./rung";

/** Placing the order. Sent again under the same key until an answer came, whatever it says. */
export function useCashout() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const user = useUser();
  return useMutation({
    mutationFn: async (body: CashoutBody) => {
      const { key } = beginAttempt(body, user?.pk ?? 0);
      return read(mine.POST("/cashout/", { body, params: { header: { "Idempotency-Key": key } } }));
    },
    retry: (failures, error) => failures < 2 && isUnanswered(error),
    onSuccess: (order, body) => {
      endAttempt();
      rememberNumber(String(body.mpesa_number));
      noteRung(order.order_token);
      client.setQueryData(orderQuery(order.order_token).queryKey, order);
      void client.invalidateQueries({ queryKey: ["tracks"] });
      navigate(`/pay/${order.order_token}`, { replace: true });
      cart.takeOut(body.order);
    },
    onError: (error) => {
      if (isUnanswered(error)) return;
      endAttempt();
      // Prices and stock are not what this page showed.
      void client.invalidateQueries({ queryKey: ["cart"] });
    },
  });
}

/** Whether the order may have been placed all the same. */
function isUnanswered(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  return error.status >= 500 || error.code === "idempotency_key_in_use";
}
