import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";
import { open, read } from "../api/client";
import { meQuery } from "../api/queries";
import { session } from "../api/session";
import { Title } from "../app/Title";
import { MessagesForm } from "./MessagesForm";
import { PasswordForm } from "./PasswordForm";
import { ProfileForm } from "./ProfileForm";
import { Sessions } from "./Sessions";
import { useUser } from "./useUser";

export default function AccountPage() {
  const { t } = useLingui();
  const user = useUser();
  const navigate = useNavigate();
  const signOut = () => {
    const refresh = session.refreshToken();
    // At home first: the page of an account has nobody to show then.
    navigate("/");
    session.end();
    // Without an answer it ends by itself.
    if (refresh) void read(open.POST("/logout/", { body: { refresh } })).catch(() => undefined);
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
        <Selling />
        <ProfileForm />
        <section className="panel">
          <h2>
            <Trans>Your addresses</Trans>
          </h2>
          <Link to="/account/addresses">
            <Trans>See, add or change where things are brought to you</Trans>
          </Link>
        </section>
        <MessagesForm />
        <PasswordForm />
        <Sessions />
      </div>
    </>
  );
}

/** The door to the seller's pages, for who sells. */
function Selling() {
  const me = useQuery(meQuery);
  if (!me.data?.is_seller) return null;
  const waiting = me.data.counts.to_hand_over;
  return (
    <section className="panel">
      <h2>
        <Trans>Selling</Trans>
      </h2>
      <p className="row">
        <Link className="button little" to="/selling/orders">
          <Trans>What you sold</Trans>
        </Link>
        <Link className="button plain little" to="/selling/money">
          <Trans>Your money</Trans>
        </Link>
        {waiting > 0 && (
          <span>
            <Trans>{waiting} to hand over</Trans>
          </span>
        )}
      </p>
    </section>
  );
}
