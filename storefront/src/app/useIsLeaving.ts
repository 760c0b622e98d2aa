import { useState } from "react";

/**
 * Whether somebody is on their way to another page already. Its file takes its time on a slow line:
 * the address is the other page's by then, and this one still stands, and must lead nowhere else.
 */
export function useIsLeaving(): boolean {
  const [own] = useState(() => location.pathname);
  return location.pathname !== own;
}
