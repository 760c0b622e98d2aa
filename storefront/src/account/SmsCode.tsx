import { Trans } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { dataOf, type Schemas, serverNow, userApi } from "../api/client";
import { Field, Problem, useSecondsUntil } from "../ui/parts";

type Sent = Schemas["CodeSent"];

/** Request a code by SMS with `send`, and another one once that is allowed. */
export function useSms(send: () => Promise<Sent>) {
  const [againAt, setAgainAt] = useState<number | null>(null);
  const ask = useMutation({
    mutationFn: send,
    onSuccess: ({ again_in }) => setAgainAt(serverNow() + again_in * 1000),
  });
  return { ask, againAt, token: ask.data?.token ?? "" };
}

/** `useSms` for the phone linked to the user's account. */
export function useOwnSms() {
  return useSms(() => dataOf(userApi.POST("/account/phone/code/")));
}

/** The field for a code, with a button that requests another one. */
export function CodeField({
  sms: { ask, againAt },
  name,
  error,
}: {
  sms: ReturnType<typeof useSms>;
  name: string;
  error: string | null;
}) {
  const left = Math.ceil(useSecondsUntil(againAt));
  return (
    <>
      <Field
        label={<Trans>6-digit SMS code</Trans>}
        name={name}
        inputMode="numeric"
        autoComplete="one-time-code"
        maxLength={9}
        required
        error={error}
        hint={<Trans>The code works for 10 minutes.</Trans>}
      />
      {ask.error && <Problem error={ask.error} />}
      <p className="small">
        {left > 0 ? (
          <span className="quiet">
            <Trans>Resend in {left} s</Trans>
          </span>
        ) : (
          <button
            type="button"
            className="as-link"
            disabled={ask.isPending}
            onClick={() => ask.mutate()}
          >
            <Trans>Resend code</Trans>
          </button>
        )}
      </p>
    </>
  );
}

/** The digits of a field, without the spaces people type between them. */
export function digitsOf(typed: FormData, name: string): string {
  return String(typed.get(name) ?? "").replace(/\D/g, "");
}
