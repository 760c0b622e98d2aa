import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect } from "react";
import { Link, useLocation } from "react-router";
import { session } from "../api/session";
import { Title } from "../app/Title";

/** What comes along from the page where the account was deleted, and from no link. */
export const IS_DELETED = "deleted";

/** Where one stands whose account is no more. This browser forgets them. */
export default function DeletedPage() {
  const { t } = useLingui();
  const isDeleted = useLocation().state === IS_DELETED;
  useEffect(() => {
    if (!isDeleted) return;
    void session.signOut().finally(forgetAll);
  }, [isDeleted]);
  return (
    <div className="empty" role="status">
      <Title text={t`Your account is deleted`} />
      <h1>{t`Your account is deleted`}</h1>
      <p className="quiet">
        <Trans>
          Your data has been removed from this browser too. Thank you for shopping with us.
        </Trans>
      </p>
      <Link className="button" to="/">
        <Trans>Go to the shop</Trans>
      </Link>
    </div>
  );
}

/** The cart and the numbers that were typed here were theirs. */
function forgetAll(): void {
  try {
    localStorage.clear();
    sessionStorage.clear();
  } catch {
    // Shut by the person's settings: then nothing is kept in it.
  }
}
