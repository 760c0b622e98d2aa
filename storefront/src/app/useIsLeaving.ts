import { useState } from "react";

/** Whether the user is already on the way to another page: on a slow connection its file takes a
 *  while, in which the address has changed and this page is still shown. It must not navigate then. */
export function useIsLeaving(): boolean {
  const [own] = useState(() => location.pathname);
  return location.pathname !== own;
}
