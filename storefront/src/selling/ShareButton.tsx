import { Trans } from "@lingui/react/macro";
import { useState } from "react";
import { Icon } from "../ui/Icon";

/** Shares a page of the shop, by its path below /shop. */
export function ShareButton({ path, title }: { path: string; title: string }) {
  const [isCopied, setCopied] = useState(false);
  const share = async () => {
    const url = `${location.origin}/shop${path}`;
    try {
      if (navigator.share) await navigator.share({ title, url });
      else {
        await navigator.clipboard.writeText(url);
        setCopied(true);
      }
    } catch {
      // Cancelled, or not allowed by the browser.
    }
  };
  return (
    <>
      <button type="button" className="button plain little" onClick={share}>
        <Icon name="share" />
        <Trans>Share</Trans>
      </button>
      <span role="status" className={isCopied ? undefined : "hidden"}>
        {isCopied && <Trans>Link copied.</Trans>}
      </span>
    </>
  );
}
