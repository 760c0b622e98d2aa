import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import { dataOf, publicApi } from "../api/client";
import { fieldError } from "../api/errors";
import { Title } from "../app/Title";
import { Field, Problem } from "../ui/parts";

export default function ForgotPasswordPage() {
  const { t } = useLingui();
  const send = useMutation({
    mutationFn: (email: string) => dataOf(publicApi.POST("/password/reset/", { body: { email } })),
  });
  const wrong = fieldError(send.error, "email");
  return (
    <div className="sign">
      <Title text={t`Forgot password`} />
      <h1>
        <Trans>Forgot password?</Trans>
      </h1>
      {send.isSuccess ? (
        <p className="notice ok" role="status">
          <Trans>
            If there is an account with this email, we have sent it a link. The link works for one
            hour.
          </Trans>
        </p>
      ) : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            send.mutate(String(new FormData(event.currentTarget).get("email") ?? ""));
          }}
        >
          <Field
            label={<Trans>Your email</Trans>}
            name="email"
            type="email"
            autoComplete="email"
            required
            error={wrong}
          />
          {send.error && !wrong && <Problem error={send.error} />}
          <button type="submit" className="button wide" disabled={send.isPending}>
            <Trans>Send me a link</Trans>
          </button>
        </form>
      )}
      <p>
        <Link to="/sign-in">
          <Trans>Back to sign-in</Trans>
        </Link>
      </p>
    </div>
  );
}
