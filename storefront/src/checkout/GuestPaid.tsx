import { Trans } from "@lingui/react/macro";
import { Link, useNavigate } from "react-router";
import { PhoneSignIn } from "../account/PhoneSignIn";
import { useUser } from "../account/useUser";
import { features } from "../api/boot";
import { phone as written } from "../i18n/format";

/** Shown to a guest whose order is paid: signing in with the phone that paid shows the whole order.
 *  `phone` is that number, if this browser knows it. */
export function GuestPaid({ token, phone }: { token: string; phone: string | undefined }) {
  const navigate = useNavigate();
  const isSignedIn = useUser() !== null;
  const number = written(phone ?? "");
  const to = `/orders/${token}`;
  return (
    <div className="actions">
      <p>
        {phone ? (
          <Trans>
            You need a collection code to receive your items. We sent it by SMS to {number}.
          </Trans>
        ) : (
          <Trans>
            You need a collection code to receive your items. We sent it by SMS to the phone that
            paid.
          </Trans>
        )}{" "}
        {!isSignedIn && <Trans>To see it here too, sign in with a code.</Trans>}
        {isSignedIn && features.phone_login && (
          <Trans>To see it here too, link that phone to your account.</Trans>
        )}
      </p>
      {isSignedIn && features.phone_login && (
        <Link className="button" to="/account">
          <Trans>Go to your account</Trans>
        </Link>
      )}
      {!isSignedIn && features.phone_login && (
        <PhoneSignIn
          phone={phone}
          ask={
            phone ? <Trans>Send a sign-in code to {number}</Trans> : <Trans>Send code by SMS</Trans>
          }
          onIn={() => navigate(to)}
        />
      )}
      {!isSignedIn && !features.phone_login && (
        <Link className="button" to={`/sign-in?to=${encodeURIComponent(to)}`}>
          <Trans>Sign in</Trans>
        </Link>
      )}
      <Link to="/">
        <Trans>Continue shopping</Trans>
      </Link>
    </div>
  );
}
