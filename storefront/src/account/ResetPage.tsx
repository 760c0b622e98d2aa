import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { dataOf, publicApi } from "../api/client";
import { ApiError } from "../api/errors";
import { Title } from "../app/Title";
import { Field, Problem } from "../ui/parts";

/** What the mailed link opens. */
export default function ResetPage() {
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
  const wrong = error instanceof ApiError ? error.field("new_password1") : null;
  const isOver = error instanceof ApiError && Boolean(error.body.token ?? error.body.uid);
  return (
    <div className="sign">
      <Title text={t`A new password`} />
      <h1>
        <Trans>A new password</Trans>
      </h1>
      {reset.isSuccess ? (
        <>
          <p className="notice ok" role="status">
            <Trans>It is saved. Everybody who was signed in as you is out.</Trans>
          </p>
          <Link className="button wide" to="/sign-in">
            <Trans>Sign in</Trans>
          </Link>
        </>
      ) : isOver ? (
        <>
          <p className="notice warn" role="alert">
            <Trans>This link is over: it works once, and for an hour.</Trans>
          </p>
          <Link className="button wide" to="/password/reset">
            <Trans>Send me another link</Trans>
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
            hint={<Trans>At least 8 characters, and not an everyday word.</Trans>}
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
