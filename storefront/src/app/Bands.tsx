import { Trans } from "@lingui/react/macro";
import { useLine } from "../api/line";
import { takeNewVersion, useNewVersion } from "./version";

/** What concerns every page, above it: no line, a new version. What is known stays on the page. */
export function Bands() {
  const isUp = useLine();
  const isNew = useNewVersion();
  return (
    <div role="status">
      {!isUp && (
        <p className="band">
          <Trans>You are offline. You see what this page knew last.</Trans>
        </p>
      )}
      {isNew && (
        <p className="band new">
          <Trans>There is a new version of the shop.</Trans>{" "}
          <button type="button" className="as-link" onClick={takeNewVersion}>
            <Trans>Load it</Trans>
          </button>
        </p>
      )}
    </div>
  );
}
