import { Trans } from "@lingui/react/macro";
import type { ReactNode } from "react";

/** How many of five stars somebody gave, for the eye and for the ear; what else is said beside it. */
export function Stars({ stars, children }: { stars: number; children?: ReactNode }) {
  return (
    <p className="stars">
      <span className="sign" aria-hidden="true">
        {"★".repeat(stars)}
        {"☆".repeat(5 - stars)}
      </span>
      <span className="hidden">
        <Trans>{stars} of 5 stars</Trans>
      </span>
      {children}
    </p>
  );
}
