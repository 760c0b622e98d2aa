import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link, Navigate, useSearchParams } from "react-router";
import { features } from "../api/boot";
import { dataOf, publicApi } from "../api/client";
import { ApiError } from "../api/errors";
import { session } from "../api/session";
import { Title } from "../app/Title";
import { useIsLeaving } from "../app/useIsLeaving";
import { Field, Problem } from "../ui/parts";
import { LockedOut } from "./LockedOut";
import { ownPath } from "./ownPath";
import { PhoneSignIn } from "./PhoneSignIn";
import { useUser } from "./useUser";

type Typed = { username: string; password: string; code?: string };

export default function SignInPage() {
  const { t } = useLingui();
  const [params] = useSearchParams();
  const user = useUser();
  const isLeaving = useIsLeaving();
  const to = ownPath(params.get("to"));
  const [needsCode, setNeedsCode] = useState(false);
  const [byPhone, setByPhone] = useState(features.phone_login);
  const [isCodeSent, setCodeSent] = useState(false);
  const signIn = useMutation({
    mutationFn: (body: Typed) => dataOf(publicApi.POST("/login/", { body })),
    onSuccess: (answer) => session.begin(answer, answer.user),
    onError: (error) => {
      if (error instanceof ApiError && error.code.startsWith("mfa")) setNeedsCode(true);
    },
  });
  // Do not navigate if the user has gone to another page meanwhile.
  if (user && !isLeaving) return <Navigate to={to} replace />;
  return (
    <div className="sign">
      <Title text={t`Sign in`} />
      <h1>
        <Trans>Sign in</Trans>
      </h1>
      {byPhone && (
        <PhoneSignIn
          ask={<Trans>Send code by SMS</Trans>}
          onSent={setCodeSent}
          onOff={() => setByPhone(false)}
        />
      )}
      {byPhone && !isCodeSent && (
        <p className="or">
          <Trans>or with a password</Trans>
        </p>
      )}
      <form
        className="stack"
        hidden={byPhone && isCodeSent}
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget);
          const text = (name: string) => String(typed.get(name) ?? "");
          signIn.mutate({
            username: text("username"),
            password: text("password"),
            ...(needsCode ? { code: text("code") } : {}),
          });
        }}
      >
        <Field
          label={<Trans>User name or email</Trans>}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          required
        />
        <Field
          label={<Trans>Password</Trans>}
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        {needsCode && (
          <Field
            label={<Trans>Authenticator app code</Trans>}
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            required
          />
        )}
        {signIn.isError && <Refused error={signIn.error} />}
        <button
          type="submit"
          className={byPhone ? "button plain wide" : "button wide"}
          disabled={signIn.isPending}
        >
          {signIn.isPending ? <Trans>Please wait…</Trans> : <Trans>Sign in</Trans>}
        </button>
      </form>
      <p className="between">
        <Link to={`/join?to=${encodeURIComponent(to)}`}>
          <Trans>Create account</Trans>
        </Link>
        <Link to="/password/reset">
          <Trans>Forgot password?</Trans>
        </Link>
      </p>
    </div>
  );
}

function Refused({ error }: { error: Error }) {
  if (error instanceof ApiError && error.code === "mfa_required") {
    return (
      <p className="notice" role="status">
        <Trans>Enter the code from your authenticator app.</Trans>
      </p>
    );
  }
  if (error instanceof ApiError && error.code === "locked_out") return <LockedOut error={error} />;
  if (error instanceof ApiError && error.body.non_field_errors) {
    return (
      <p className="notice bad" role="alert">
        <Trans>Wrong user name or password.</Trans>
      </p>
    );
  }
  return <Problem error={error} />;
}
