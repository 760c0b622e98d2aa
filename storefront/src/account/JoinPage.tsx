import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link, Navigate, useSearchParams } from "react-router";
import { features } from "../api/boot";
import { dataOf, publicApi } from "../api/client";
import { fieldError } from "../api/errors";
import { session } from "../api/session";
import { Title } from "../app/Title";
import { useIsLeaving } from "../app/useIsLeaving";
import { Field, Problem } from "../ui/parts";
import { ownPath } from "./ownPath";
import { PhoneSignIn } from "./PhoneSignIn";
import { useUser } from "./useUser";

const FIELDS = ["username", "email", "password1", "password2"] as const;

export default function JoinPage() {
  const { t } = useLingui();
  const [params] = useSearchParams();
  const user = useUser();
  const isLeaving = useIsLeaving();
  const to = ownPath(params.get("to"));
  const join = useMutation({
    mutationFn: (typed: FormData) => {
      const text = (name: string) => String(typed.get(name) ?? "");
      const password = text("password1");
      return dataOf(
        publicApi.POST("/registration/", {
          body: {
            username: text("username"),
            email: text("email"),
            password1: password,
            password2: password,
          },
        }),
      );
    },
    onSuccess: (answer) => session.begin(answer, answer.user),
  });
  const [byPhone, setByPhone] = useState(features.phone_login);
  const [isCodeSent, setCodeSent] = useState(false);
  if (user && !isLeaving) return <Navigate to={to} replace />;
  const error = join.error;
  const wrong = (name: string) => fieldError(error, name);
  const isAboutAField = FIELDS.some((name) => wrong(name));
  return (
    <div className="sign">
      <Title text={t`Create account`} />
      <h1>
        <Trans>Create your O-Mache account</Trans>
      </h1>
      {byPhone && (
        <PhoneSignIn
          ask={<Trans>Send code by SMS</Trans>}
          hint={<Trans>No name or password needed.</Trans>}
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
          join.mutate(new FormData(event.currentTarget));
        }}
      >
        <Field
          label={<Trans>User name</Trans>}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          required
          error={wrong("username")}
          hint={<Trans>Buyers see this name when you sell.</Trans>}
        />
        <Field
          label={<Trans>Email</Trans>}
          name="email"
          type="email"
          autoComplete="email"
          error={wrong("email")}
          hint={<Trans>Optional. Needed to reset a forgotten password.</Trans>}
        />
        <Field
          label={<Trans>Password</Trans>}
          name="password1"
          type="password"
          autoComplete="new-password"
          required
          error={wrong("password1")}
          hint={<Trans>At least 8 characters, and not a common word.</Trans>}
        />
        {error && !isAboutAField && <Problem error={error} />}
        <button
          type="submit"
          className={byPhone ? "button plain wide" : "button wide"}
          disabled={join.isPending}
        >
          {join.isPending ? <Trans>Please wait…</Trans> : <Trans>Create account</Trans>}
        </button>
      </form>
      <p>
        <Link to={`/sign-in?to=${encodeURIComponent(to)}`}>
          <Trans>I already have an account</Trans>
        </Link>
      </p>
    </div>
  );
}
