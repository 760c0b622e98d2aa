import { useLingui } from "@lingui/react";
import { Trans } from "@lingui/react/macro";
import { changeLanguage } from "../i18n";
import { language } from "../i18n/language";

export function Bottom() {
  // It draws this anew when the language changes.
  useLingui();
  const other = language() === "en" ? "sw" : "en";
  return (
    <footer className="bottom">
      <div className="wrap between">
        <p>
          <Trans>O-Mache: from sellers across Kenya</Trans>
        </p>
        <button
          type="button"
          className="as-link"
          lang={other}
          onClick={() => void changeLanguage(other)}
        >
          {other === "sw" ? "Kiswahili" : "English"}
        </button>
      </div>
    </footer>
  );
}
