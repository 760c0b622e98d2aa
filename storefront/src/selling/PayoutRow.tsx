import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, userApi } from "../api/client";
import { ApiError, fieldError } from "../api/errors";
import { dayAndClock, money, phone } from "../i18n/format";
import { Field, Money, Problem } from "../ui/parts";
import { PAYOUT_STATUS } from "./labels";
import type { Payout } from "./queries";

const TONES: Partial<Record<Payout["status"], string>> = {
  waiting: "warn",
  paid: "ok",
  refused: "bad",
};

/** One payout. If M-Pesa refused it, the seller can enter another number. */
export function PayoutRow({ payout }: { payout: Payout }) {
  const { i18n } = useLingui();
  const made = dayAndClock(payout.done_at ?? payout.created_at);
  const to = phone(payout.mpesa_number);
  const kept = money(payout.kept_back);
  return (
    <li className="panel stack">
      <div className="between">
        <span>
          <span className={`tag ${TONES[payout.status] ?? ""}`}>
            {i18n._(PAYOUT_STATUS[payout.status])}
          </span>{" "}
          <span className="quiet small">
            {made}
            {payout.number && <> · {payout.number}</>}
          </span>
        </span>
        <Money kes={payout.amount} />
      </div>
      <p className="small">
        <Trans>To {to}</Trans>
        {payout.kept_back > 0 && (
          <>
            {". "}
            <Trans>{kept} was deducted for your debt.</Trans>
          </>
        )}
      </p>
      {payout.status === "refused" ? (
        // The reason is in M-Pesa's words, for programmers.
        <NewNumber payout={payout} />
      ) : (
        payout.reason && payout.status !== "paid" && <p className="quiet small">{payout.reason}</p>
      )}
    </li>
  );
}

function NewNumber({ payout }: { payout: Payout }) {
  const client = useQueryClient();
  const send = useMutation({
    mutationFn: (body: { mpesa_number: string; password: string }) =>
      dataOf(
        userApi.POST("/seller/payouts/{payout_id}/number/", {
          params: { path: { payout_id: payout.id } },
          body,
        }),
      ),
    onSettled: (_, error) => {
      // After an error in the input nothing has changed; otherwise fetch everything again.
      if (!(error instanceof ApiError && error.status === 400)) {
        void client.invalidateQueries({ queryKey: ["selling"] });
      }
    },
  });
  const wrong = (name: string) => fieldError(send.error, name);
  const amount = money(payout.amount);
  if (send.isSuccess) {
    return (
      <p className="notice ok" role="status">
        <Trans>We will send {amount} to the new number as a new payout.</Trans>
      </p>
    );
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = new FormData(event.currentTarget);
        send.mutate({
          mpesa_number: String(typed.get(`mpesa_number-${payout.id}`) ?? "").trim(),
          password: String(typed.get(`password-${payout.id}`) ?? ""),
        });
      }}
    >
      <p>
        <Trans>M-Pesa rejected this number. Enter another one that can receive money.</Trans>
      </p>
      <Field
        label={<Trans>M-Pesa number</Trans>}
        name={`mpesa_number-${payout.id}`}
        type="tel"
        inputMode="tel"
        autoComplete="off"
        required
        error={wrong("mpesa_number")}
      />
      <Field
        label={<Trans>Your password</Trans>}
        name={`password-${payout.id}`}
        type="password"
        autoComplete="current-password"
        required
        hint={<Trans>We ask because this changes where you are paid.</Trans>}
        error={wrong("password")}
      />
      {send.error && !wrong("mpesa_number") && !wrong("password") && <Problem error={send.error} />}
      <button type="submit" className="button little" disabled={send.isPending}>
        {send.isPending ? <Trans>Please wait…</Trans> : <Trans>Send payout</Trans>}
      </button>
    </form>
  );
}
