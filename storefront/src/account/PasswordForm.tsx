import { Trans } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { dataOf, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { session } from "../api/session";
import { Field, Problem } from "../ui/parts";
import { useUser } from "./useUser";

/** Changes the password. It ends the user's sessions on all other devices. */
export function PasswordForm() {
  const user = useUser();
  const form = useRef<HTMLFormElement>(null);
  const change = useMutation({
    mutationFn: ({ old, next }: { old: string; next: string }) =>
      dataOf(
        userApi.POST("/password/change/", {
          body: { old_password: old, new_password1: next, new_password2: next },
        }),
      ),
    onSuccess: (tokens) => {
      if (user) session.begin(tokens, user);
      form.current?.reset();
    },
  });
  const wrong = (name: string) => fieldError(change.error, name);
  return (
    <section className="panel">
      <h2>
        <Trans>Password</Trans>
      </h2>
      <form
        className="stack"
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget);
          change.mutate({
            old: String(typed.get("old_password") ?? ""),
            next: String(typed.get("new_password1") ?? ""),
          });
        }}
      >
        <input
          className="hidden"
          name="username"
          autoComplete="username"
          defaultValue={user?.username}
          tabIndex={-1}
          aria-hidden="true"
        />
        <div className="pairs">
          <Field
            label={<Trans>Current password</Trans>}
            name="old_password"
            type="password"
            autoComplete="current-password"
            required
            error={wrong("old_password")}
          />
          <Field
            label={<Trans>New password</Trans>}
            name="new_password1"
            type="password"
            autoComplete="new-password"
            required
            error={wrong("new_password1")}
          />
        </div>
        {change.error && !wrong("old_password") && !wrong("new_password1") && (
          <Problem error={change.error} />
        )}
        <p className="row">
          <button type="submit" className="button little" disabled={change.isPending}>
            <Trans>Change password</Trans>
          </button>
          <span role="status">
            {change.isSuccess && (
              <Trans>Password changed. Your other devices are signed out.</Trans>
            )}
          </span>
        </p>
      </form>
    </section>
  );
}
