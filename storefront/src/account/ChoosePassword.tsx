import { Trans } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { session } from "../api/session";
import { Field, Problem } from "../ui/parts";
import { signInPhoneQuery } from "./queries";
import { CodeField, digitsOf, useOwnSms } from "./SmsCode";
import { useUser } from "./useUser";

/** Sets the first password of a user who registered by phone, with a code sent to that phone. */
export function ChoosePassword() {
  const user = useUser();
  const client = useQueryClient();
  const sms = useOwnSms();
  const choose = useMutation({
    mutationFn: ({ code, next }: { code: string; next: string }) =>
      dataOf(
        userApi.POST("/password/set/", {
          body: { token: sms.token, code, new_password1: next, new_password2: next },
        }),
      ),
    onSuccess: (tokens) => {
      if (user) session.begin(tokens, user);
      void client.invalidateQueries({ queryKey: signInPhoneQuery.queryKey });
    },
  });
  const wrong = (name: string) => fieldError(choose.error, name);
  return (
    <section className="panel">
      <h2>
        <Trans>Password</Trans>
      </h2>
      {!sms.token && (
        <div className="stack">
          <p>
            <Trans>
              You sign in with your phone only. Add a password to sign in where SMS does not reach
              you.
            </Trans>
          </p>
          {sms.ask.error && <Problem error={sms.ask.error} />}
          <button
            type="button"
            className="button plain little"
            disabled={sms.ask.isPending}
            onClick={() => sms.ask.mutate()}
          >
            {sms.ask.isPending ? <Trans>Please wait…</Trans> : <Trans>Set a password</Trans>}
          </button>
        </div>
      )}
      {sms.token && (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            const typed = new FormData(event.currentTarget);
            choose.mutate({
              code: digitsOf(typed, "own_code"),
              next: String(typed.get("new_password1") ?? ""),
            });
          }}
        >
          <CodeField sms={sms} name="own_code" error={wrong("code")} />
          <Field
            label={<Trans>New password</Trans>}
            name="new_password1"
            type="password"
            autoComplete="new-password"
            required
            error={wrong("new_password1")}
          />
          {choose.error && !wrong("code") && !wrong("new_password1") && (
            <Problem error={choose.error} />
          )}
          <button type="submit" className="button little" disabled={choose.isPending}>
            {choose.isPending ? <Trans>Please wait…</Trans> : <Trans>Save password</Trans>}
          </button>
        </form>
      )}
    </section>
  );
}
