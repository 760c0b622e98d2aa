import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect } from "react";
import { Link, useLocation } from "react-router";
import { session } from "../api/session";
import { Title } from "../app/Title";

/** The navigation state set by the page where the account was deleted; a link does not set it. */
export const IS_DELETED = "deleted";

/** Shown after the account was deleted. Signs out and deletes the user's data in this browser. */
export default function AccountDeletedPage() {
  const { t } = useLingui();
  const isDeleted = useLocation().state === IS_DELETED;
  useEffect(() => {
    if (!isDeleted) return;
    void session.signOut().finally(clearStorage);
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

/** Delete everything stored in this browser, such as the cart and typed phone numbers. */
function clearStorage(): void {
  try {
    localStorage.clear();
    sessionStorage.clear();
  } catch {
    // Storage is disabled in the browser's settings, so there is nothing to delete.
  }
}
