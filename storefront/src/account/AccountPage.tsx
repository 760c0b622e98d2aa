import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";
import { meQuery } from "../api/queries";
import { session } from "../api/session";
import { Title } from "../app/Title";
import { ChoosePassword } from "./ChoosePassword";
import { DataExport } from "./DataExport";
import { EmailForm } from "./EmailForm";
import { LinkedPhone } from "./LinkedPhone";
import { MessagesForm } from "./MessagesForm";
import { PasswordForm } from "./PasswordForm";
import { ProfileForm } from "./ProfileForm";
import { signInPhoneQuery } from "./queries";
import { Sessions } from "./Sessions";
import { useUser } from "./useUser";

export default function AccountPage() {
  const { t } = useLingui();
  const user = useUser();
  const navigate = useNavigate();
  const byPhoneAlone = useQuery(signInPhoneQuery).data?.is_only_way_in ?? false;
  const signOut = () => {
    // Leave this page first: it cannot be shown without a signed-in user.
    navigate("/");
    void session.signOut();
  };
  const name = user?.username ?? "";
  return (
    <>
      <Title text={t`Account`} />
      <div className="settings">
        <div className="between">
          <h1>{name}</h1>
          <button type="button" className="button plain little" onClick={signOut}>
            <Trans>Sign out</Trans>
          </button>
        </div>
        <AccountLinks />
        <ProfileForm />
        <section className="panel">
          <h2>
            <Trans>Your addresses</Trans>
          </h2>
          <Link to="/account/addresses">
            <Trans>Manage delivery addresses</Trans>
          </Link>
        </section>
        <MessagesForm />
        {!byPhoneAlone && <EmailForm />}
        {byPhoneAlone ? <ChoosePassword /> : <PasswordForm />}
        <LinkedPhone />
        <Sessions />
        <section className="panel">
          <h2>
            <Trans>Your data</Trans>
          </h2>
          <div className="stack">
            <p>
              <Trans>Download everything we store about you as one file.</Trans>
            </p>
            <DataExport />
            <p>
              <Link to="/account/delete">
                <Trans>Delete your account</Trans>
              </Link>
            </p>
          </div>
        </section>
      </div>
    </>
  );
}

/** Links to the user's other pages; to those of sellers and delivery agents if they are one. */
function AccountLinks() {
  const me = useQuery(meQuery).data;
  const { t } = useLingui();
  const waiting = me?.counts.to_hand_over ?? 0;
  return (
    <nav className="account-links" aria-label={t`Your account`}>
      <Link className="button plain little" to="/orders">
        <Trans>Orders</Trans>
      </Link>
      <Link className="button plain little" to="/notices">
        <Trans>Notifications</Trans>
      </Link>
      {me && !me.is_seller && (
        <Link className="button plain little" to="/selling/new">
          <Trans>Sell your first product</Trans>
        </Link>
      )}
      {me?.is_seller && (
        <>
          <Link className="button plain little" to="/selling">
            <Trans>Your shop</Trans>
          </Link>
          <Link className="button plain little" to="/selling/orders">
            <Trans>Your sales</Trans>
            {waiting > 0 && (
              <span className="tag warn">
                <Trans>{waiting} to hand over</Trans>
              </span>
            )}
          </Link>
          <Link className="button plain little" to="/selling/money">
            <Trans>Your money</Trans>
          </Link>
        </>
      )}
      {(me?.roles.includes("delivery") || me?.is_at_point) && (
        <Link className="button plain little" to="/delivering">
          <Trans>Deliveries</Trans>
        </Link>
      )}
    </nav>
  );
}
