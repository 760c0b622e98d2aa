import { Trans } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { dataOf, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { userQuery } from "../api/queries";
import { typedPhone } from "../i18n/format";
import { Field, Problem } from "../ui/parts";

/** The contact phone for the user's orders. */
export function PhoneForm() {
  const client = useQueryClient();
  const user = useQuery(userQuery);
  const save = useMutation({
    mutationFn: (number: string) => dataOf(userApi.PATCH("/user/", { body: { phone: number } })),
    onSuccess: (saved) => client.setQueryData(userQuery.queryKey, saved),
  });
  const wrong = fieldError(save.error, "phone");
  return (
    <form
      className="stack"
      key={user.data?.phone ?? "unknown"}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(String(new FormData(event.currentTarget).get("phone") ?? "").trim());
      }}
    >
      <fieldset disabled={!user.data}>
        <Field
          label={<Trans>Phone</Trans>}
          name="phone"
          type="tel"
          autoComplete="tel"
          defaultValue={typedPhone(user.data?.phone ?? "")}
          error={wrong}
          hint={<Trans>We call this number about your orders.</Trans>}
        />
      </fieldset>
      {user.isError && <Problem error={user.error} again={() => void user.refetch()} />}
      {save.error && !wrong && <Problem error={save.error} />}
      <p className="row">
        <button type="submit" className="button little" disabled={save.isPending || !user.data}>
          <Trans>Save number</Trans>
        </button>
        <span role="status">{save.isSuccess && <Trans>Saved.</Trans>}</span>
      </p>
    </form>
  );
}
