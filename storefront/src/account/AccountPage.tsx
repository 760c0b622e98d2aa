import { Trans, useLingui } from "@lingui/react/macro";
import { useNavigate } from "react-router";
import { open, read } from "../api/client";
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
        <ProfileForm />
        <MessagesForm />
        <PasswordForm />
        <Sessions />
      </div>
    </>
  );
}
