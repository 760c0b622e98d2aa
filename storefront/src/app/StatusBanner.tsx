import { Trans } from "@lingui/react/macro";
import { useConnection } from "../api/connection";
import { takeNewVersion, useNewVersion } from "./version";

/** The banner above every page: the shop cannot be reached, whether the network or the shop is away;
 *  or a new version is available. */
export function StatusBanner() {
  const isUp = useConnection();
  const isNew = useNewVersion();
  return (
    <div role="status">
      {!isUp && (
        <p className="banner">
          <Trans>No connection to the shop. This page may be out of date.</Trans>
        </p>
      )}
      {isNew && (
        <p className="banner new">
          <Trans>A new version of the shop is available.</Trans>{" "}
          <button type="button" className="as-link" onClick={takeNewVersion}>
            <Trans>Update now</Trans>
          </button>
        </p>
      )}
    </div>
  );
}
