import { Trans } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { asForm, dataOf, type Schemas, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { accountQuery } from "../api/queries";
import { smaller } from "../pictures/shrink";
import { Field, Problem } from "../ui/parts";
import { PhoneForm } from "./PhoneForm";
import { useUser } from "./useUser";

/** The user's name, picture and phone. */
export function ProfileForm() {
  const client = useQueryClient();
  const user = useUser();
  const account = useQuery(accountQuery);
  const keep = (saved: Schemas["Account"]) => client.setQueryData(accountQuery.queryKey, saved);
  const save = useMutation({
    mutationFn: (body: { first_name: string; last_name: string }) =>
      dataOf(userApi.PATCH("/account/", { body })),
    onSuccess: keep,
  });
  const show = useMutation({
    mutationFn: async (file: File | null) => {
      if (!file) return dataOf(userApi.PATCH("/account/", { body: { avatar: null } }));
      const body = { avatar: await smaller(file, 800) };
      return dataOf(userApi.PATCH("/account/", { body, bodySerializer: asForm }));
    },
    onSuccess: keep,
  });
  const wrong = (name: string) => fieldError(save.error, name);
  if (account.isError && !account.data) {
    return <Problem error={account.error} again={() => void account.refetch()} />;
  }
  const avatar = account.data?.avatar;
  return (
    <section className="panel">
      <h2>
        <Trans>Your name, picture and phone</Trans>
      </h2>
      <div className="row">
        {avatar ? (
          <img className="avatar" src={avatar} alt="" width="80" height="80" />
        ) : (
          <span className="avatar" aria-hidden="true">
            {user?.username.slice(0, 1).toUpperCase()}
          </span>
        )}
        <div>
          <label className="button plain little">
            {show.isPending ? <Trans>Please wait…</Trans> : <Trans>Choose a picture</Trans>}
            <input
              className="hidden"
              type="file"
              accept="image/*"
              onChange={(event) => {
                const file = event.target.files?.[0];
                if (file) show.mutate(file);
                event.target.value = "";
              }}
            />
          </label>{" "}
          {avatar && (
            <button type="button" className="as-link" onClick={() => show.mutate(null)}>
              <Trans>Remove</Trans>
            </button>
          )}
        </div>
      </div>
      {show.error && <Problem error={show.error} />}
      <form
        className="stack"
        key={account.data ? "known" : "unknown"}
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget);
          save.mutate({
            first_name: String(typed.get("first_name") ?? ""),
            last_name: String(typed.get("last_name") ?? ""),
          });
        }}
      >
        <fieldset className="pairs" disabled={!account.data}>
          <Field
            label={<Trans>First name</Trans>}
            name="first_name"
            autoComplete="given-name"
            defaultValue={account.data?.first_name ?? ""}
            error={wrong("first_name")}
          />
          <Field
            label={<Trans>Last name</Trans>}
            name="last_name"
            autoComplete="family-name"
            defaultValue={account.data?.last_name ?? ""}
            error={wrong("last_name")}
          />
        </fieldset>
        {save.error && !wrong("first_name") && !wrong("last_name") && (
          <Problem error={save.error} />
        )}
        <p className="row">
          <button
            type="submit"
            className="button little"
            disabled={save.isPending || !account.data}
          >
            <Trans>Save</Trans>
          </button>
          <span role="status">{save.isSuccess && <Trans>Saved.</Trans>}</span>
        </p>
      </form>
      <PhoneForm />
    </section>
  );
}
