import { Trans } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { meQuery } from "../api/queries";

/** Delay in milliseconds, so that the page's own data is fetched first. */
const DELAY = 1500;

/** The badge with the number of unread notices; nothing until it is known. */
export default function Unread() {
  const [isTime, setTime] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTime(true), DELAY);
    return () => clearTimeout(timer);
  }, []);
  const unread = useQuery({ ...meQuery, enabled: isTime }).data?.counts.unread_notices ?? 0;
  if (unread === 0) return null;
  return (
    <span className="count">
      {unread > 99 ? "99+" : unread}
      <span className="hidden">
        <Trans>unread</Trans>
      </span>
    </span>
  );
}
