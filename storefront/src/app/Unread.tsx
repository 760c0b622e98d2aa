import { Trans } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { meQuery } from "../api/queries";

/** What is on the page comes first, milliseconds. */
const LATER = 1500;

/** How many notices who is signed in has not read; nothing until it is known. */
export default function Unread() {
  const [isTime, setTime] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTime(true), LATER);
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
