import { useSyncExternalStore } from "react";
import { session } from "../api/session";

/** Who is signed in, or null. */
export function useUser() {
  return useSyncExternalStore(session.subscribe, session.user);
}
