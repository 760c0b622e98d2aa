import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { dataOf, publicApi } from "../api/client";
import { ApiError } from "../api/errors";
import { userQuery } from "../api/queries";
import { Title } from "../app/Title";
import { Problem } from "../ui/parts";

/** The page a confirmation mail links to. It asks for a press, because mail programs open links on
 *  their own. */
export default function ConfirmEmailPage() {
  const { t } = useLingui();
  const { key = "" } = useParams();
  const client = useQueryClient();
  const confirm = useMutation({
    mutationFn: () => dataOf(publicApi.POST("/registration/verify-email/", { body: { key } })),
    onSuccess: () => client.invalidateQueries({ queryKey: userQuery.queryKey }),
  });
  const isOver = confirm.error instanceof ApiError && Boolean(confirm.error.body.key);
  return (
    <div className="sign">
      <Title text={t`Confirm your email`} />
      <h1>
        <Trans>Confirm your email</Trans>
      </h1>
      {confirm.isSuccess && (
        <p className="notice ok" role="status">
          <Trans>Your email is confirmed. Thank you!</Trans>
        </p>
      )}
      {isOver && (
        <p className="notice warn" role="alert">
          <Trans>This link has expired. Request a new one in your account.</Trans>
        </p>
      )}
      {confirm.isError && !isOver && <Problem error={confirm.error} />}
      {confirm.isSuccess || isOver ? (
        <Link className="button wide" to="/account">
          <Trans>Go to your account</Trans>
        </Link>
      ) : (
        <button
          type="button"
          className="button wide"
          disabled={confirm.isPending}
          onClick={() => confirm.mutate()}
        >
          <Trans>Yes, this is my email</Trans>
        </button>
      )}
    </div>
  );
}
