import { Trans } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dataOf, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { userQuery } from "../api/queries";
import { Field, Problem } from "../ui/parts";

/** The e-mail of an account with a password: what it is, whether it is confirmed, another one. */
export function EmailForm() {
  const user = useQuery(userQuery);
  const [isChanging, setChanging] = useState(false);
  const email = user.data?.email;
  return (
    <section className="panel">
      <h2>
        <Trans>Email</Trans>
      </h2>
      {user.isError && <Problem error={user.error} again={() => void user.refetch()} />}
      {user.isPending && <div className="account-line skeleton" aria-hidden="true" />}
      {user.data && (
        <div className="stack">
          <div className="stack" role="status">
            {!email && (
              <p>
                <Trans>None yet. You need one to get a new password if you forget yours.</Trans>
              </p>
            )}
            {email && user.data.email_confirmed && (
              <p>
                <strong>{email}</strong>
              </p>
            )}
            {email && !user.data.email_confirmed && <Unconfirmed email={email} />}
          </div>
          {isChanging ? (
            <Change close={() => setChanging(false)} />
          ) : (
            <p>
              <button
                type="button"
                className="button plain little"
                onClick={() => setChanging(true)}
              >
                {email ? <Trans>Use another email</Trans> : <Trans>Add an email</Trans>}
              </button>
            </p>
          )}
        </div>
      )}
    </section>
  );
}

function Change({ close }: { close: () => void }) {
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: (body: { email: string; password: string }) =>
      dataOf(userApi.PATCH("/user/", { body })),
    onSuccess: (saved) => {
      client.setQueryData(userQuery.queryKey, saved);
      close();
    },
  });
  const wrong = (name: string) => fieldError(save.error, name);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = new FormData(event.currentTarget);
        save.mutate({
          email: String(typed.get("email") ?? "").trim(),
          password: String(typed.get("email_password") ?? ""),
        });
      }}
    >
      <div className="pairs">
        <Field
          label={<Trans>New email</Trans>}
          name="email"
          type="email"
          autoComplete="email"
          required
          error={wrong("email")}
        />
        <Field
          label={<Trans>Your password</Trans>}
          name="email_password"
          type="password"
          autoComplete="current-password"
          required
          error={wrong("password")}
        />
      </div>
      {save.error && !wrong("email") && !wrong("password") && <Problem error={save.error} />}
      <p className="row">
        <button type="submit" className="button little" disabled={save.isPending}>
          <Trans>Save email</Trans>
        </button>
        <button type="button" className="button plain little" onClick={close}>
          <Trans>Go back</Trans>
        </button>
      </p>
    </form>
  );
}

/** Nothing is mailed there but the link that confirms it. */
function Unconfirmed({ email }: { email: string }) {
  const send = useMutation({
    mutationFn: () => dataOf(userApi.POST("/registration/resend-email/")),
  });
  return (
    <>
      <p>
        <Trans>
          <strong>{email}</strong> is not confirmed. Open the link in the email we sent there: until
          then we send it nothing else.
        </Trans>
      </p>
      {send.error && <Problem error={send.error} />}
      {send.isSuccess ? (
        <p>
          <Trans>If none has come by tomorrow, check your spam folder and ask again.</Trans>
        </p>
      ) : (
        <p>
          <button
            type="button"
            className="button plain little"
            disabled={send.isPending}
            onClick={() => send.mutate()}
          >
            <Trans>Send the link again</Trans>
          </button>
        </p>
      )}
    </>
  );
}
