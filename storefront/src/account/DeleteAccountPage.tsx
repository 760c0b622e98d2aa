import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { dataOf, type Schemas, userApi } from "../api/client";
import { ApiError, fieldError, isObject } from "../api/errors";
import { Title } from "../app/Title";
import { money } from "../i18n/format";
import { Field, Problem } from "../ui/parts";
import { IS_DELETED } from "./AccountDeletedPage";
import { DataExport } from "./DataExport";
import { signInPhoneQuery } from "./queries";
import { CodeField, digitsOf, useOwnSms } from "./SmsCode";

/** Deleting the account: what is deleted, what is kept, and a confirmation by password or SMS code. */
export default function DeleteAccountPage() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const phone = useQuery(signInPhoneQuery);
  const sms = useOwnSms();
  const [needsCode, setNeedsCode] = useState(false);
  const leave = useMutation({
    mutationFn: (body: Schemas["DeleteAccountInput"]) =>
      dataOf(userApi.POST("/account/delete/", { body })),
    // That page signs out: this one cannot be shown without a signed-in user.
    onSuccess: () => navigate("/account/deleted", { replace: true, state: IS_DELETED }),
    onError: (error) => {
      if (error instanceof ApiError && error.code.startsWith("mfa")) setNeedsCode(true);
    },
  });
  const { error } = leave;
  const small = tooLittle(error);
  const amount = money(small);
  const wrong = (name: string) => fieldError(error, name);
  const byCode = phone.data?.is_only_way_in ?? false;
  const wrongCode = wrong("phone_code") ?? (byCode ? wrong("code") : null);
  const isKnown = Boolean(wrong("password") || wrongCode || (needsCode && isMfa(error)));
  return (
    <div className="narrow stack">
      <Title text={t`Delete your account`} />
      <h1>{t`Delete your account`}</h1>
      <section className="panel stack">
        <h2>
          <Trans>What is deleted</Trans>
        </h2>
        <p>
          <Trans>
            Your name, email, phones, addresses, pictures, messages and the text of your reviews.
            All devices are signed out and your listings are removed.
          </Trans>
        </p>
        <h2>
          <Trans>What we keep</Trans>
        </h2>
        <p>
          <Trans>
            Records of purchases, sales and payments, under a number instead of your name. Other
            people rely on them and the law requires us to keep them.
          </Trans>
        </p>
        <DataExport />
      </section>
      {error instanceof ApiError && error.code === "under_way" && <UnderWay error={error} />}
      <form
        className="panel stack"
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget);
          const code = needsCode ? { code: String(typed.get("mfa") ?? "") } : {};
          const renounce = typed.get("renounce") ? { renounce: small } : {};
          leave.mutate(
            byCode
              ? {
                  token: sms.token,
                  phone_code: digitsOf(typed, "phone_code"),
                  ...code,
                  ...renounce,
                }
              : { password: String(typed.get("password") ?? ""), ...code, ...renounce },
          );
        }}
      >
        <h2>
          <Trans>This cannot be undone</Trans>
        </h2>
        {phone.isPending && <div className="account-line skeleton" aria-hidden="true" />}
        {phone.isError && <Problem error={phone.error} again={() => void phone.refetch()} />}
        {!phone.isPending && !byCode && (
          <Field
            label={<Trans>Your password</Trans>}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            error={wrong("password")}
          />
        )}
        {byCode && !sms.token && (
          <>
            <p>
              <Trans>
                We will send a code to the phone you sign in with, to confirm it is you.
              </Trans>
            </p>
            {sms.ask.error && <Problem error={sms.ask.error} />}
            <button
              type="button"
              className="button plain little"
              disabled={sms.ask.isPending}
              onClick={() => sms.ask.mutate()}
            >
              {sms.ask.isPending ? <Trans>Please wait…</Trans> : <Trans>Send me a code</Trans>}
            </button>
          </>
        )}
        {byCode && sms.token && <CodeField sms={sms} name="phone_code" error={wrongCode} />}
        {needsCode && (
          <Field
            label={<Trans>Authenticator app code</Trans>}
            name="mfa"
            inputMode="numeric"
            autoComplete="one-time-code"
            required
            error={
              error instanceof ApiError && error.code === "mfa_required" ? null : mfaSaid(error)
            }
          />
        )}
        {error && !isKnown && !(error instanceof ApiError && error.code === "under_way") && (
          <Problem error={error} />
        )}
        {small > 0 && (
          <label className="choice">
            <input type="checkbox" name="renounce" value="yes" />
            <span>
              <Trans>
                The shop owes you {amount}, less than M-Pesa can send. I give it up to close my
                account.
              </Trans>
            </span>
          </label>
        )}
        <label className="choice">
          <input type="checkbox" required />
          <span>
            <Trans>I understand this cannot be undone.</Trans>
          </span>
        </label>
        <button
          type="submit"
          className="button danger"
          disabled={leave.isPending || phone.isPending || (byCode && !sms.token)}
        >
          {leave.isPending ? <Trans>Please wait…</Trans> : <Trans>Delete my account</Trans>}
        </button>
      </form>
      <p>
        <Link to="/account">
          <Trans>Back to your account</Trans>
        </Link>
      </p>
    </div>
  );
}

function isMfa(error: unknown): boolean {
  return error instanceof ApiError && error.code.startsWith("mfa");
}

function mfaSaid(error: unknown): string | null {
  return isMfa(error) ? (error as ApiError).message : null;
}

type Thing = {
  what: string;
  reference?: string;
  order_token?: string;
  parcel?: number;
  amount?: number;
  renounceable?: boolean;
};

const WHAT: Record<string, MessageDescriptor> = {
  unpaid_order: msg`An order is waiting for payment`,
  late_money: msg`A late payment may still arrive for an order`,
  goods_to_come: msg`Items you paid for have not arrived yet`,
  refund: msg`A refund is on its way to you`,
  doubted_payment: msg`A payment is under review`,
  goods_to_hand_over: msg`You have sales to hand over`,
  problem: msg`A problem is still open`,
  parcel_to_bring: msg`You have a parcel to deliver`,
  money_owed: msg`There is an unsettled balance between you and the shop`,
};

function thingsOf(error: unknown): Thing[] {
  const named = error instanceof ApiError ? error.body.under_way : null;
  return Array.isArray(named) ? named.filter((each): each is Thing => isObject(each)) : [];
}

/** KES that the shop owes and M-Pesa cannot send, which may be given up; 0 if there is nothing. */
function tooLittle(error: unknown): number {
  return thingsOf(error).find((thing) => thing.renounceable)?.amount ?? 0;
}

/** What prevents the deletion, with a link to each order. */
function UnderWay({ error }: { error: ApiError }) {
  const { i18n } = useLingui();
  const things = thingsOf(error);
  return (
    <div className="notice warn stack" role="alert">
      <p>
        <Trans>
          Your account cannot be deleted yet because you have orders or payments in progress:
        </Trans>
      </p>
      <ul className="dots">
        {things.map((thing) => (
          <li key={`${thing.what}${thing.reference ?? thing.parcel ?? ""}`}>
            {i18n._(WHAT[thing.what] ?? { id: thing.what })}
            {thing.amount !== undefined && <>: {money(thing.amount)}</>}
            {thing.parcel !== undefined && (
              <>
                {": "}
                <Link to="/delivering">
                  <Trans>Deliveries</Trans>
                </Link>
              </>
            )}
            {thing.reference && (
              <>
                {": "}
                <Link to={placeOf(thing)}>{thing.reference}</Link>
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Where it can be ended. Only of what they bought does a person get the token. */
function placeOf({ what, reference, order_token: token }: Thing): string {
  if (what === "goods_to_hand_over") return `/selling/orders?order=${reference}`;
  if (!token) return "/selling/problems";
  return what === "unpaid_order" || what === "late_money" ? `/pay/${token}` : `/orders/${token}`;
}
