import { useLingui } from "@lingui/react";
import { Trans } from "@lingui/react/macro";
import { useState } from "react";
import { Link } from "react-router";
import { changeLanguage } from "../i18n";
import { language } from "../i18n/language";
import { useInstall } from "./install";

export function Footer() {
  // Renders the footer again when the language changes.
  useLingui();
  const install = useInstall();
  const other = language() === "en" ? "sw" : "en";
  const [hasFailed, setFailed] = useState(false);
  const change = () => {
    setFailed(false);
    changeLanguage(other).catch(() => setFailed(true));
  };
  return (
    <footer className="bottom">
      <div className="wrap between">
        <p>
          <Trans>O-Mache: products from sellers across Kenya</Trans>
          <br />
          <Link to="/selling">
            <Trans>Sell on O-Mache</Trans>
          </Link>
        </p>
        <p className="row">
          {install && (
            <button type="button" className="as-link" onClick={install}>
              <Trans>Install the app</Trans>
            </button>
          )}
          <button type="button" className="as-link" lang={other} onClick={change}>
            {other === "sw" ? "Kiswahili" : "English"}
          </button>
        </p>
      </div>
      <p className="wrap" role="status">
        {hasFailed && (
          <Trans>We could not reach the shop. Check your connection and try again.</Trans>
        )}
      </p>
    </footer>
  );
}
