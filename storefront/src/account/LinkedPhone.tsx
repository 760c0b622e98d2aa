import { Trans } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dataOf, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { phone } from "../i18n/format";
import { guestOrders } from "../orders/guestOrders";
import { ConfirmButton } from "../ui/ConfirmButton";
import { Field, Problem } from "../ui/parts";
import { signInPhoneQuery } from "./queries";
import { CodeField, digitsOf, useSms } from "./SmsCode";

/** The phone the user signs in with by SMS code: link, change or remove it. */
export function LinkedPhone() {
  const client = useQueryClient();
  const linked = useQuery(signInPhoneQuery);
  const [isLinking, setLinking] = useState(false);
  const remove = useMutation({
    mutationFn: () => dataOf(userApi.DELETE("/account/phone/")),
    onSettled: () => client.invalidateQueries({ queryKey: signInPhoneQuery.queryKey }),
  });
  if (linked.data === null) return null;
  const number = phone(linked.data?.phone ?? "");
  return (
    <section className="panel">
      <h2>
        <Trans>Sign in with your phone</Trans>
      </h2>
      {linked.isError && <Problem error={linked.error} again={() => void linked.refetch()} />}
      {linked.isPending && <div className="account-line skeleton" aria-hidden="true" />}
      {linked.data && !isLinking && (
        <div className="stack">
          <p role="status">
            {number ? (
              <Trans>
                You sign in to this account with a code sent to <strong>{number}</strong>.
              </Trans>
            ) : (
              <Trans>No phone is linked. Link one to sign in without a password.</Trans>
            )}
          </p>
          {linked.data.is_only_way_in ? (
            <p className="quiet small">
              <Trans>It is your only way to sign in. Set a password before you remove it.</Trans>
            </p>
          ) : (
            <div className="row">
              <button
                type="button"
                className="button plain little"
                onClick={() => setLinking(true)}
              >
                {number ? <Trans>Use another phone</Trans> : <Trans>Link a phone</Trans>}
              </button>
              {number && (
                <ConfirmButton
                  label={<Trans>Remove</Trans>}
                  warning={<Trans>You will sign in with your password only.</Trans>}
                  confirm={<Trans>Yes, remove it</Trans>}
                  isBusy={remove.isPending}
                  error={remove.error}
                  onConfirm={() => remove.mutate()}
                />
              )}
            </div>
          )}
        </div>
      )}
      {isLinking && <Link close={() => setLinking(false)} />}
    </section>
  );
}

function Link({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [typed, setTyped] = useState({ phone: "", password: "" });
  const sms = useSms(() => dataOf(userApi.POST("/account/phone/", { body: typed })));
  const confirm = useMutation({
    mutationFn: (code: string) =>
      dataOf(
        userApi.POST("/account/phone/confirm/", {
          body: { phone: typed.phone, token: sms.token, code },
        }),
      ),
    onSuccess: (linked) => {
      client.setQueryData(signInPhoneQuery.queryKey, linked);
      // What it paid for without an account is this account's now.
      guestOrders.joined(typed.phone);
      void client.invalidateQueries({ queryKey: ["orders"] });
      void client.invalidateQueries({ queryKey: ["order"] });
      close();
    },
  });
  const isOnField = fieldError(sms.ask.error, "phone") ?? fieldError(sms.ask.error, "password");
  const number = phone(typed.phone);
  if (sms.token) {
    return (
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          confirm.mutate(digitsOf(new FormData(event.currentTarget), "sms_code"));
        }}
      >
        <p role="status">
          <Trans>We sent a code to {number}.</Trans>
        </p>
        <CodeField sms={sms} name="sms_code" error={fieldError(confirm.error, "code")} />
        {confirm.error && !fieldError(confirm.error, "code") && <Problem error={confirm.error} />}
        <p className="row">
          <button type="submit" className="button little" disabled={confirm.isPending}>
            {confirm.isPending ? <Trans>Please wait…</Trans> : <Trans>Link this phone</Trans>}
          </button>
          <button type="button" className="button plain little" onClick={close}>
            <Trans>Go back</Trans>
          </button>
        </p>
      </form>
    );
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        sms.ask.mutate();
      }}
    >
      <div className="pairs">
        <Field
          label={<Trans>Phone number</Trans>}
          name="sign_in_phone"
          type="tel"
          autoComplete="tel"
          required
          value={typed.phone}
          error={fieldError(sms.ask.error, "phone")}
          onChange={(event) => setTyped({ ...typed, phone: event.target.value })}
        />
        <Field
          label={<Trans>Your password</Trans>}
          name="link_password"
          type="password"
          autoComplete="current-password"
          required
          value={typed.password}
          error={fieldError(sms.ask.error, "password")}
          onChange={(event) => setTyped({ ...typed, password: event.target.value })}
        />
      </div>
      {sms.ask.error && !isOnField && <Problem error={sms.ask.error} />}
      <p className="row">
        <button type="submit" className="button little" disabled={sms.ask.isPending}>
          {sms.ask.isPending ? <Trans>Please wait…</Trans> : <Trans>Send me a code</Trans>}
        </button>
        <button type="button" className="button plain little" onClick={close}>
          <Trans>Go back</Trans>
        </button>
      </p>
    </form>
  );
}
