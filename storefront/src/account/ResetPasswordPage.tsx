import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { dataOf, publicApi } from "../api/client";
import { ApiError, fieldError } from "../api/errors";
import { Title } from "../app/Title";
import { Field, Problem } from "../ui/parts";

/** The page a password-reset mail links to. */
export default function ResetPasswordPage() {
  const { t } = useLingui();
  const { uid = "", token = "" } = useParams();
  const reset = useMutation({
    mutationFn: (password: string) =>
      dataOf(
        publicApi.POST("/password/reset/confirm/", {
          body: { uid, token, new_password1: password, new_password2: password },
        }),
      ),
  });
  const error = reset.error;
  const wrong = fieldError(error, "new_password1");
  const isOver = error instanceof ApiError && Boolean(error.body.token ?? error.body.uid);
  return (
    <div className="sign">
      <Title text={t`Set a new password`} />
      <h1>
        <Trans>Set a new password</Trans>
      </h1>
      {reset.isSuccess ? (
        <>
          <p className="notice ok" role="status">
            <Trans>Password saved. All your devices have been signed out.</Trans>
          </p>
          <Link className="button wide" to="/sign-in">
            <Trans>Sign in</Trans>
          </Link>
        </>
      ) : isOver ? (
        <>
          <p className="notice warn" role="alert">
            <Trans>This link has expired. It works once, within one hour.</Trans>
          </p>
          <Link className="button wide" to="/password/reset">
            <Trans>Send a new link</Trans>
          </Link>
        </>
      ) : (
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            reset.mutate(String(new FormData(event.currentTarget).get("new_password1") ?? ""));
          }}
        >
          <Field
            label={<Trans>New password</Trans>}
            name="new_password1"
            type="password"
            autoComplete="new-password"
            required
            error={wrong}
            hint={<Trans>At least 8 characters, and not a common word.</Trans>}
          />
          {error && !wrong && <Problem error={error} />}
          <button type="submit" className="button wide" disabled={reset.isPending}>
            <Trans>Save</Trans>
          </button>
        </form>
      )}
    </div>
  );
}
