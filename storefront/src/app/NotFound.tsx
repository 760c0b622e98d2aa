import { Trans, useLingui } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { Title } from "./Title";

/** The page for an unknown address, or for something that does not exist (`title`). */
export function NotFound({ title, children }: { title?: string; children?: ReactNode }) {
  const { t } = useLingui();
  const said = title ?? t`Page not found`;
  return (
    <>
      <Title text={said} />
      <div className="empty">
        <h1>{said}</h1>
        {children && <p className="quiet">{children}</p>}
        <p>
          <Link className="button" to="/">
            <Trans>Browse products</Trans>
          </Link>
        </p>
      </div>
    </>
  );
}
