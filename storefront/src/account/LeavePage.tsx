import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { dataOf, type Schemas, userApi } from "../api/client";
import { ApiError, isObject } from "../api/errors";
import { Title } from "../app/Title";
import { money } from "../i18n/format";
import { Field, Problem } from "../ui/parts";
import { IS_DELETED } from "./DeletedPage";
import { Export } from "./Export";
import { signInPhoneQuery } from "./queries";
import { CodeField, digitsOf, useOwnSms } from "./SmsCode";

/** Deleting one's account: what goes, what stays, and that it is they who ask. */
export default function LeavePage() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const phone = useQuery(signInPhoneQuery);
  const sms = useOwnSms();
  const [needsCode, setNeedsCode] = useState(false);
  const leave = useMutation({
    mutationFn: (body: Schemas["DeleteAccountInput"]) =>
      dataOf(userApi.POST("/account/delete/", { body })),
    // That page forgets them: here there would be nobody to show it to.
    onSuccess: () => navigate("/account/deleted", { replace: true, state: IS_DELETED }),
    onError: (error) => {
      if (error instanceof ApiError && error.code.startsWith("mfa")) setNeedsCode(true);
    },
  });
  const { error } = leave;
  const wrong = (name: string) => (error instanceof ApiError ? error.field(name) : null);
  const byCode = phone.data?.is_only_way_in ?? false;
  const wrongCode = wrong("phone_code") ?? (byCode ? wrong("code") : null);
  const isKnown = Boolean(wrong("password") || wrongCode || (needsCode && isMfa(error)));
  return (
    <div className="narrow stack">
      <Title text={t`Delete your account`} />
      <h1>{t`Delete your account`}</h1>
      <section className="panel stack">
        <h2>
          <Trans>What goes</Trans>
        </h2>
        <p>
          <Trans>
            Your names, e-mail, phones, addresses and pictures, your messages, the words of your
            reviews, and every device that is signed in. What you sell is taken off sale.
          </Trans>
        </p>
        <h2>
          <Trans>What stays</Trans>
        </h2>
        <p>
          <Trans>
            That something was bought, sold and paid, under a number instead of your name: others
            have a right to it, and the law wants the books kept.
          </Trans>
        </p>
        <Export />
      </section>
      {error instanceof ApiError && error.code === "under_way" && <UnderWay error={error} />}
      <form
        className="panel stack"
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget);
          const code = needsCode ? { code: String(typed.get("mfa") ?? "") } : {};
          leave.mutate(
            byCode
              ? { token: sms.token, phone_code: digitsOf(typed, "phone_code"), ...code }
              : { password: String(typed.get("password") ?? ""), ...code },
          );
        }}
      >
        <h2>
          <Trans>It cannot be taken back</Trans>
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
                A code that is sent to the phone you sign in with shows that it is you who asks.
              </Trans>
            </p>
            {sms.ask.error && <Problem error={sms.ask.error} />}
            <button
              type="button"
              className="button plain little"
              disabled={sms.ask.isPending}
              onClick={() => sms.ask.mutate()}
            >
              {sms.ask.isPending ? <Trans>One moment…</Trans> : <Trans>Send me a code</Trans>}
            </button>
          </>
        )}
        {byCode && sms.token && <CodeField sms={sms} name="phone_code" error={wrongCode} />}
        {needsCode && (
          <Field
            label={<Trans>Code of your authenticator app</Trans>}
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
        <label className="choice">
          <input type="checkbox" required />
          <span>
            <Trans>I know that nobody can bring it back.</Trans>
          </span>
        </label>
        <button
          type="submit"
          className="button danger"
          disabled={leave.isPending || phone.isPending || (byCode && !sms.token)}
        >
          {leave.isPending ? <Trans>One moment…</Trans> : <Trans>Delete my account</Trans>}
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

type Thing = { what: string; reference?: string; order_token?: string; amount?: number };

const WHAT: Record<string, MessageDescriptor> = {
  unpaid_order: msg`An order waits for its money`,
  late_money: msg`Late money may still come for an order`,
  goods_to_come: msg`Goods are on their way to you`,
  refund: msg`Money is on its way back to you`,
  doubted_payment: msg`A payment is being looked into`,
  goods_to_hand_over: msg`Goods you sold wait to be handed over`,
  problem: msg`A problem is not decided yet`,
  parcel_to_bring: msg`A parcel you took on is to be brought`,
  money_owed: msg`Money is owed between you and the shop`,
};

/** What keeps an account, each with the way to it. */
function UnderWay({ error }: { error: ApiError }) {
  const { i18n } = useLingui();
  const things = Array.isArray(error.body.under_way)
    ? error.body.under_way.filter((each): each is Thing => isObject(each))
    : [];
  return (
    <div className="notice warn stack" role="alert">
      <p>
        <Trans>
          Not yet: money or goods of yours are under way. Once they are there, ask again.
        </Trans>
      </p>
      <ul className="dots">
        {things.map((thing) => (
          <li key={`${thing.what}${thing.order_token ?? ""}`}>
            {i18n._(WHAT[thing.what] ?? { id: thing.what })}
            {thing.amount !== undefined && <>: {money(thing.amount)}</>}
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

function placeOf({ what, reference, order_token: token }: Thing): string {
  if (what === "goods_to_hand_over") return `/selling/orders?order=${reference}`;
  return what === "unpaid_order" || what === "late_money" ? `/pay/${token}` : `/orders/${token}`;
}
