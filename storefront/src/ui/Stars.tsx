import { Trans } from "@lingui/react/macro";
import type { ReactNode } from "react";

/** One review's stars of five, also for screen readers, with more text beside them. */
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
