import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dataOf, type Order, userApi } from "../api/client";
import { ApiError, fieldError } from "../api/errors";
import { orderQuery } from "../api/queries";
import { Field, Problem } from "../ui/parts";
import { isMpesaNumber, rememberNumber } from "./mpesaNumber";
import { wayOf } from "./prompt";

/** Request another prompt, on the same phone or another. `wait` is the number of seconds until that is
 *  possible. A guest cannot change the phone. */
export function PromptAgain({
  order,
  number,
  wait,
  isQuiet,
  isOfGuest,
}: {
  order: Order;
  number: string;
  wait: number;
  isQuiet: boolean;
  isOfGuest: boolean;
}) {
  const { t } = useLingui();
  const client = useQueryClient();
  const [wantsOther, setWantsOther] = useState(false);
  const [unread, setUnread] = useState<string | null>(null);
  const { order_token } = order;
  const ring = useMutation({
    mutationFn: (mpesa_number: string | null) =>
      dataOf(
        userApi.POST("/cashout/{order_token}/pay/", {
          params: { path: { order_token } },
          body: mpesa_number ? { mpesa_number } : {},
        }),
      ),
    onSuccess: (now, number) => {
      if (number) rememberNumber(number);
      setWantsOther(false);
      client.setQueryData(orderQuery(order_token).queryKey, now);
    },
    // The order may be paid or closed meanwhile, or its prompt open: the page shows which.
    onError: () => client.invalidateQueries({ queryKey: orderQuery(order_token).queryKey }),
  });
  const wrong = fieldError(ring.error, "mpesa_number");
  const isOtherBetter = wayOf(order) === "other" && !isOfGuest;
  const seconds = Math.ceil(wait);
  return (
    <div className="actions">
      {ring.error && !wrong && <Refused error={ring.error} />}
      {wantsOther ? (
        <form
          className="stack"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            const typed = String(new FormData(event.currentTarget).get("mpesa_number") ?? "");
            if (!isMpesaNumber(typed)) {
              setUnread(t`Enter a Kenyan mobile number, like 0712 345 678.`);
              return;
            }
            setUnread(null);
            ring.mutate(typed.trim());
          }}
        >
          <Field
            label={<Trans>M-Pesa number</Trans>}
            name="mpesa_number"
            type="tel"
            autoComplete="tel"
            error={unread ?? wrong}
          />
          <button type="submit" className="button wide" disabled={ring.isPending}>
            <Trans>Send M-Pesa prompt</Trans>
          </button>
          <button type="button" className="as-link" onClick={() => setWantsOther(false)}>
            <Trans>Keep the same number</Trans>
          </button>
        </form>
      ) : (
        <>
          {isOtherBetter && (
            <button type="button" className="button" onClick={() => setWantsOther(true)}>
              <Trans>Use another number</Trans>
            </button>
          )}
          <button
            type="button"
            className={isQuiet || isOtherBetter ? "button plain" : "button"}
            disabled={ring.isPending || wait > 0}
            onClick={() => ring.mutate(null)}
          >
            {ring.isPending ? (
              <Trans>Sending…</Trans>
            ) : wait > 0 ? (
              <Trans>
                Resend prompt to {number} in {seconds} s
              </Trans>
            ) : (
              <Trans>Resend prompt to {number}</Trans>
            )}
          </button>
          {!isOtherBetter && !isOfGuest && (
            <button type="button" className="as-link" onClick={() => setWantsOther(true)}>
              <Trans>Use another number</Trans>
            </button>
          )}
        </>
      )}
    </div>
  );
}

function Refused({ error }: { error: Error }) {
  if (error instanceof ApiError && error.code === "prompt_open") {
    return (
      <p className="notice" role="alert">
        <Trans>
          Your phone may still show our M-Pesa prompt. Answer it there, or wait a moment.
        </Trans>
      </p>
    );
  }
  if (error instanceof ApiError && error.code === "order_closed") return null;
  return <Problem error={error} />;
}
