import { Trans } from "@lingui/react/macro";
import { useSyncExternalStore } from "react";

function subscribe(tell: () => void): () => void {
  addEventListener("online", tell);
  addEventListener("offline", tell);
  return () => {
    removeEventListener("online", tell);
    removeEventListener("offline", tell);
  };
}

/** Says that the device has no network; what is known stays on the page. */
export function OfflineBand() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  return (
    <div role="status">
      {!online && (
        <p className="band">
          <Trans>You are offline. You see what this page knew last.</Trans>
        </p>
      )}
    </div>
  );
}
